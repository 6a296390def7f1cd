#include "executor/app/service_hints.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace berth;

namespace {

class Lines final : public core::Console {
 public:
  void line(std::string_view words) override { add("", words); }
  void warning(std::string_view words) override { add("WARNING: ", words); }
  void hint(std::string_view words) override { add("HINT: ", words); }
  std::string text{};

 private:
  void add(std::string_view label, std::string_view words) {
    text.append(label).append(words).append("\n");
  }
};

constexpr const char* k_dead =
    "service 'postgres:15' ended with exit code 1; the job goes on without it\n"
    "its last lines:\n"
    "  | Error: Database is uninitialized and superuser password is not specified.\n"
    "  |        You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.";

}  // namespace

TEST_CASE("hints about services are kept for the job's end, each once") {
  Lines lines;
  app::ServiceHints console(lines);
  console.line("a line");
  console.warning(k_dead);
  console.warning(k_dead);
  CHECK(lines.text ==
        "a line\nWARNING: " + std::string(k_dead) + "\nWARNING: " + std::string(k_dead) + "\n");
  core::Sandbox sandbox;
  console.note(sandbox);
  const std::string& kept = sandbox.values.at("hints");
  CHECK(kept.starts_with("service 'postgres:15': PostgreSQL's images want a password"));
  CHECK(kept.find('\n') == std::string::npos);
  CHECK_THAT(kept, ContainsSubstring("service_compat: true"));
  lines.text.clear();
  console.tell();
  CHECK(lines.text == "HINT: " + kept + "\n");
}

TEST_CASE("what is not known of a service leaves no hint, nor what is not about one") {
  Lines lines;
  app::ServiceHints console(lines);
  console.warning("service 'web' ended with exit code 1; the job goes on without it");
  console.warning("exec format error");
  console.line(k_dead);
  core::Sandbox sandbox;
  console.note(sandbox);
  CHECK(sandbox.values.empty());
}
