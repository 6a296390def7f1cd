#include "executor/app/masked_words.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using app::MaskedConsole;
using app::MaskedWords;

namespace {

// Made up: user deployer.
constexpr const char* k_login =
    R"({"auths":{"registry.example":{"auth":"ZGVwbG95ZXI6a1E3dlptMlhwOUx3"}}})";

MaskedWords words_of(std::vector<core::Variable> variables) {
  core::Job job;
  for (core::Variable& one : variables) job.variables.set(std::move(one));
  return {job, job.variables, settings::Credentials{}};
}

MaskedWords some_words() {
  return words_of({{.key = "DB_PASSWORD", .value = "Tr0ub4dor&3-x", .masked = true},
                   {.key = "KUBE_NAMESPACE", .value = "shopping-cart"}});
}

class Lines final : public support::Console {
 public:
  void line(std::string_view text) override { said += "line " + std::string(text) + "\n"; }
  void warning(std::string_view text) override { said += "warning " + std::string(text) + "\n"; }
  void hint(std::string_view text) override { said += "hint " + std::string(text) + "\n"; }
  std::string said{};
};

}  // namespace

TEST_CASE("What GitLab masks is taken out of a cluster's words, and nothing else") {
  const MaskedWords words = some_words();
  CHECK(words("last words: postgres://app:Tr0ub4dor&3-x@db in shopping-cart") ==
        "last words: postgres://app:[MASKED]@db in shopping-cart");
  // As a Secret's data has it.
  CHECK(words("password: VHIwdWI0ZG9yJjMteA==").find("VHIwdWI0") == std::string::npos);
  CHECK(words("Tr0ub4dor&3-") == "Tr0ub4dor&3-");
  CHECK(words("").empty());
  CHECK(words_of({})("Tr0ub4dor&3-x") == "Tr0ub4dor&3-x");
}

TEST_CASE("A masked value is taken out of a cluster's words however plain it is") {
  const MaskedWords words = words_of({{.key = "WORD", .value = "aaaaaaaaaaaa", .masked = true}});
  CHECK(words("it is aaaaaaaaaaaa") == "it is [MASKED]");
}

TEST_CASE("Parts of credentials are taken out of a cluster's words") {
  const MaskedWords words = words_of({{.key = "DOCKER_AUTH_CONFIG", .value = k_login}});
  CHECK(words("pull of registry.example refused for deployer:kQ7vZm2Xp9Lw") ==
        "pull of registry.example refused for [MASKED]");
  CHECK(words("password kQ7vZm2Xp9Lw") == "password [MASKED]");
}

TEST_CASE("A masked console says nothing unmasked, in none of its ways") {
  const MaskedWords words = some_words();
  Lines lines;
  MaskedConsole console(lines, words);
  console.line("a Tr0ub4dor&3-x");
  console.warning("b Tr0ub4dor&3-x");
  console.hint("c Tr0ub4dor&3-x");
  CHECK(lines.said == "line a [MASKED]\nwarning b [MASKED]\nhint c [MASKED]\n");
}
