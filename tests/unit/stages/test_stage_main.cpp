#include "executor/support/files.hpp"
#include "executor/support/version.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/stages/child.hpp"

#include <csignal>

using namespace berth;
using tests::Child;
using tests::TempDir;

namespace {

struct Probe {
  TempDir directory;
  Child::Environment environment{
      {"NO_COLOR", "1"},
      {"BUILD_FAILURE_EXIT_CODE", "31"},
      {"SYSTEM_FAILURE_EXIT_CODE", "32"},
      {"BUILD_EXIT_CODE_FILE", (directory.path() / "code").native()},
  };

  Child::Result run(const std::string& what) const {
    return Child(BERTH_STAGE_PROBE, {"/script", what}, environment).wait();
  }
  /// What BUILD_EXIT_CODE_FILE holds.
  std::string code() const {
    return support::read_file_if_exists(directory.path() / "code", 100).value_or("none");
  }
};

}  // namespace

TEST_CASE("stage_main: success writes nothing") {
  const Probe probe;
  const Child::Result result = probe.run("ok");
  CHECK(result.code == 0);
  CHECK(result.output.empty());
  CHECK(result.errors.empty());
  CHECK(probe.code() == "none");
}

TEST_CASE("stage_main: a failing script") {
  const Probe probe;
  Child::Result result = probe.run("exit 42");
  CHECK(result.code == 31);
  CHECK(probe.code() == "42\n");
  CHECK(result.errors.empty());
  result = probe.run("killed");
  CHECK(result.code == 31);
  CHECK(probe.code() == "137\n");
  CHECK_THAT(result.errors, StartsWith("berth: the script was killed by SIGKILL; "));
}

TEST_CASE("stage_main: errors say whose fault they are") {
  const Probe probe;
  Child::Result result = probe.run("exit 42");
  result = probe.run("job");
  CHECK(result.code == 31);
  CHECK(result.errors == "ERROR: job error: image not allowed: 'x'\nHINT: use another\n");
  // An earlier stage's code must not be taken for this one's.
  CHECK(probe.code() == "31\n");
  result = probe.run("operator");
  CHECK(result.code == 32);
  CHECK(result.errors == "ERROR: operator error: berth.yaml:1:1: unknown key 'x'\n");
  result = probe.run("system");
  CHECK(result.code == 32);
  CHECK(result.errors == "ERROR: system error: engine gone\n");
  result = probe.run("defect");
  CHECK(result.code == 32);
  CHECK_THAT(result.errors, StartsWith("ERROR: system error: unexpected failure in berth-run: "
                                       "impossible\nHINT: this is a defect of Berth"));
}

TEST_CASE("stage_main: errors are red in the job log") {
  Probe probe;
  probe.environment.erase("NO_COLOR");
  CHECK_THAT(probe.run("system").errors, StartsWith("\x1b[31;1mERROR: system error"));
}

TEST_CASE("stage_main: without the runner's environment the contract's defaults hold") {
  CHECK(Child(BERTH_STAGE_PROBE, {"/script", "job"}, {}).wait().code == 1);
  CHECK(Child(BERTH_STAGE_PROBE, {"/script", "system"}, {}).wait().code == 2);
}

TEST_CASE("stage_main: an exit code that cannot be handed over is a system failure") {
  Probe probe;
  probe.environment["BUILD_EXIT_CODE_FILE"] = (probe.directory.path() / "no" / "code").native();
  const Child::Result result = probe.run("exit 42");
  CHECK(result.code == 32);
  CHECK_THAT(result.errors, ContainsSubstring("cannot write: '"));
}

TEST_CASE("stage_main: each signal of the runner stops the stage") {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    const Probe probe;
    Child child(BERTH_STAGE_PROBE, {"/script", "wait"}, probe.environment);
    REQUIRE(child.read_line() == "ready\n");
    ::kill(child.pid(), number);
    const Child::Result result = child.wait();
    CHECK(result.code == 32);
    CHECK(result.errors.empty());
    CHECK(probe.code() == "none");
  }
}

TEST_CASE("stage_main: a reader that goes away is an error, not a death") {
  const Probe probe;
  Child child(BERTH_STAGE_PROBE, {"/script", "pipe"}, probe.environment);
  child.close_output();
  const Child::Result result = child.wait();
  CHECK(result.code == 32);
  CHECK(result.errors == "ERROR: system error: cannot write: 'standard output': Broken pipe\n");
}

TEST_CASE("stage_main: signals handed over stay pending for the next program") {
  const Probe probe;
  CHECK(probe.run("hand over").output == "pending\n");
}

TEST_CASE("stage_main: bad arguments, version and help") {
  const Probe probe;
  Child::Result result = Child(BERTH_STAGE_PROBE, {"--nonsense"}, probe.environment).wait();
  CHECK(result.code == 32);
  CHECK_THAT(result.errors, StartsWith("ERROR: operator error: wrong arguments of berth-run: "
                                       "'--nonsense' is not known\nHINT: see run_args"));
  result = Child(BERTH_STAGE_PROBE, {"--version"}, {}).wait();
  CHECK(result.code == 0);
  CHECK(result.output == "berth-run " + std::string(support::version()) + "\n");
  CHECK(Child(BERTH_STAGE_PROBE, {"--help"}, {}).wait().output.starts_with("berth-run ["));
}
