#include "stages/run_secrets.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <sys/mman.h>
#include <unistd.h>

/// What a program leaves to the one that goes on with its stage.

using namespace berth;
using namespace berth::tests;
using support::Secret;

namespace {

class Kept final : public core::OutputSink {
 public:
  explicit Kept(std::string& text) : m_text(text) {}
  void write(std::string_view bytes) override { m_text += bytes; }

 private:
  std::string& m_text;
};

class Quiet final : public support::Console {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view) override {}
};

/// One program's part of a run.
struct Program {
  explicit Program(std::string& shown, const core::Sandbox& sandbox,
                   const std::filesystem::path& tmpdir)
      : out(shown), secrets(log, sandbox, core::ContainerRole::build, tmpdir, console) {}

  Kept out;
  stages::MaskedLog log{out};
  Quiet console;
  stages::RunSecrets secrets;
};

std::string note() {
  masking::StageSecrets secrets;
  secrets.secrets = {Secret("Gd4canaryToken77QzLp"), Secret("77QzLpOther-Canary5")};
  secrets.requested = {Secret("asked-For-Earlier")};
  return std::string(encode(secrets).expose());
}

}  // namespace

TEST_CASE("a log is taken up at any byte: nothing leaks, nothing is doubled", "[run_secrets]") {
  const TempDir tmpdir;
  core::Sandbox sandbox;
  sandbox.values[agentlink::k_value_note] = "memory:name";
  const std::string output =
      "Gd4canaryToken77QzLp Gd4canaryToken77QzLpOther-Canary5 Gd4canaryToken\n"
      "::add-mask::asked-For-Now\nasked-For-Earlier asked-For-Now asked-For-\nNow\nGd4can\n"
      "aryToken77QzLp end Gd4canaryTok";
  const std::string expected =
      "[MASKED] [MASKED] Gd4canaryToken\n::add-mask::[MASKED]\n[MASKED] [MASKED] [MASKED]\n"
      "[MASKED]\nGd4can\n[MASKED] end Gd4canaryTok";
  for (std::size_t cut = 0; cut <= output.size(); ++cut) {
    std::string shown;
    std::string script;
    support::Fd state;
    {
      Program first(shown, sandbox, tmpdir.path());
      REQUIRE(first.secrets.wanted());
      first.secrets.take(note(), script);
      first.log.write(std::string_view(output).substr(0, cut));
      state = first.secrets.hand_over();
    }
    Program second(shown, sandbox, tmpdir.path());
    second.secrets.take_over(state.release());
    CHECK_FALSE(second.secrets.wanted());
    second.log.write(std::string_view(output).substr(cut));
    const auto changed = second.secrets.changed();
    REQUIRE(shown == expected);
    REQUIRE(changed);
    const auto kept = masking::decode_stage_secrets(changed->expose());
    REQUIRE(kept);
    CHECK(kept->secrets.size() == 2);
    CHECK(kept->requested == std::vector{Secret("asked-For-Earlier"), Secret("asked-For-Now")});
  }
}

TEST_CASE("a state that is damaged is not taken up", "[run_secrets]") {
  const TempDir tmpdir;
  std::string shown;
  Program program(shown, {}, tmpdir.path());
  CHECK_FALSE(program.secrets.wanted());
  support::Fd memory(::memfd_create("test", MFD_CLOEXEC));
  REQUIRE(::write(memory.get(), "nonsense", 8) == 8);
  CHECK_THROWS_AS(program.secrets.take_over(memory.release()), support::SystemError);
  CHECK_THROWS_AS(program.secrets.take_over(::memfd_create("test", MFD_CLOEXEC)),
                  support::SystemError);
}
