#include "tests/support/catch.hpp"
#include "tests/unit/local/play_fixture.hpp"

#include <algorithm>
#include <csignal>

using namespace berth::local::runner;
using berth::tests::FakeDriver;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;

/// A stage that says it is there and then waits for SIGTERM; `on_term` follows. A sleep that
/// the signal meets before it has become one goes on, so it has not the log's pipe.
std::string waits(const std::string& stage, const std::string& on_term) {
  return "[ $stage = " + stage + " ] || exit 0; trap '" + on_term +
         "' TERM; echo waiting; while :; do sleep 1 >/dev/null 2>&1 & wait $!; done";
}

void stop_when_waiting(FakeDriver& driver, std::function<void()> act) {
  driver.observer.on_output = [act = std::move(act)](std::string_view, std::string_view bytes) {
    if (bytes.find("waiting") != std::string_view::npos) act();
  };
}

FakeDriver& with_after_script(FakeDriver& driver) {
  driver.payload.steps.push_back({.name = "after_script", .script = {"true"}});
  driver.payload.cache = {{.key = "k", .paths = {"a"}, .when = "on_failure"}};
  return driver;
}

int index_of(const Names& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? 0 : static_cast<int>(found - names.begin()) + 1;
}

}  // namespace

TEST_CASE("a cancel during the script runs after_script with the status canceled") {
  FakeDriver driver;
  with_after_script(driver).on("run", waits("build_script", "echo got-term; exit 2"));
  stop_when_waiting(driver, [&] { driver.control.cancel(); });
  const JobResult result = driver.play();
  CHECK(result.state == JobState::canceled);
  CHECK(result.failure_reason == "job_canceled");
  CHECK_THAT(driver.observer.out, ContainsSubstring("got-term"));
  CHECK(driver.calls() == Names{"config", "prepare", "run prepare_script", "run get_sources",
                                "run restore_cache", "run build_script", "run after_script",
                                "run archive_cache_on_failure", "run cleanup_file_variables",
                                "cleanup"});
  CHECK(driver.environment(index_of(driver.calls(),
                                    "run after_script"))["CUSTOM_ENV_CI_JOB_STATUS"] == "canceled");
}

TEST_CASE("a cancel before the script ends the whole job") {
  FakeDriver driver;
  with_after_script(driver).on("run", waits("get_sources", "exit 2"));
  stop_when_waiting(driver, [&] { driver.control.cancel(); });
  CHECK(driver.play().state == JobState::canceled);
  CHECK(driver.calls() ==
        Names{"config", "prepare", "run prepare_script", "run get_sources", "cleanup"});
}

TEST_CASE("an abort during the script leaves out after_script") {
  FakeDriver driver;
  with_after_script(driver).on("run", waits("build_script", "exit 2"));
  stop_when_waiting(driver, [&] { driver.control.abort(); });
  CHECK(driver.play().state == JobState::canceled);
  CHECK(driver.calls().back() == "cleanup");
  CHECK(index_of(driver.calls(), "run after_script") == 0);
  CHECK(index_of(driver.calls(), "run cleanup_file_variables") == 0);
}

TEST_CASE("an interrupt of the runner leaves out after_script") {
  FakeDriver driver;
  with_after_script(driver).on("run", waits("build_script", "exit 2"));
  stop_when_waiting(driver, [&] { driver.control.interrupt(); });
  const JobResult result = driver.play();
  CHECK(result.state == JobState::failed);
  CHECK(result.failure_reason == "runner_interrupted");
  CHECK(driver.calls().back() == "cleanup");
  CHECK(index_of(driver.calls(), "run after_script") == 0);
}

TEST_CASE(
    "a cancel in prepare that the driver answers with 2 is canceled, with 1 a script failure") {
  FakeDriver driver;
  const bool answers_two = GENERATE(true, false);
  driver.on("prepare",
            std::string("trap 'exit ") + (answers_two ? "2" : "1") +
                "' TERM; echo waiting; while :; do sleep 1 >/dev/null 2>&1 & wait $!; done");
  stop_when_waiting(driver, [&] { driver.control.cancel(); });
  const JobResult result = driver.play();
  CHECK(driver.calls() == Names{"config", "prepare", "cleanup"});
  if (answers_two) {
    CHECK(result.state == JobState::canceled);
  } else {
    CHECK(result.state == JobState::failed);
    CHECK(result.failure_reason == "script_failure");
  }
}

TEST_CASE("RUNNER_SCRIPT_TIMEOUT ends the script alone") {
  FakeDriver driver;
  with_after_script(driver).on("run", waits("build_script", "exit 2"));
  driver.variable("RUNNER_SCRIPT_TIMEOUT", "200ms");
  const JobResult result = driver.play();
  CHECK(result.state == JobState::failed);
  CHECK(result.failure_reason == "job_execution_timeout");
  const int after = index_of(driver.calls(), "run after_script");
  REQUIRE(after != 0);
  CHECK(driver.environment(after)["CUSTOM_ENV_CI_JOB_STATUS"] == "timedout");
  CHECK_THAT(driver.observer.notes,
             ContainsSubstring("step_script could not run to completion because the timeout"));
}

TEST_CASE("RUNNER_AFTER_SCRIPT_TIMEOUT ends after_script and does not fail the job") {
  FakeDriver driver;
  with_after_script(driver).on("run", waits("after_script", "exit 2"));
  driver.variable("RUNNER_AFTER_SCRIPT_TIMEOUT", "200ms");
  CHECK(driver.play().state == JobState::success);
  CHECK_THAT(driver.observer.notes,
             ContainsSubstring("after_script failed, but job will continue unaffected"));
}

TEST_CASE("a timeout that cannot be read is ignored with a warning") {
  FakeDriver driver;
  driver.variable("RUNNER_SCRIPT_TIMEOUT", "soon");
  CHECK(driver.play().state == JobState::success);
  CHECK_THAT(driver.observer.notes,
             ContainsSubstring("Ignoring malformed RUNNER_SCRIPT_TIMEOUT timeout: soon"));
}

TEST_CASE("the job's timeout counts from before prepare and leaves out after_script") {
  FakeDriver driver;
  with_after_script(driver).payload.runner_info.timeout = 1;
  const std::string where = GENERATE("prepare", "run");
  driver.on(where, waits(where == "run" ? "build_script" : "\"$stage\"", "exit 2"));
  const JobResult result = driver.play();
  CHECK(result.state == JobState::failed);
  CHECK(result.failure_reason == "job_execution_timeout");
  CHECK(index_of(driver.calls(), "run after_script") == 0);
  CHECK(driver.calls().back() == "cleanup");
}

TEST_CASE("prepare_exec_timeout makes an attempt fail, not the job's clock") {
  FakeDriver driver;
  driver.config.custom.prepare_timeout = 200ms;
  driver.on("prepare",
            "[ -e $HOME/once ] && exit 0; touch $HOME/once; trap 'exit 2' TERM; while :; do sleep "
            "3600 & wait $!; done");
  CHECK(driver.play().state == JobState::success);
  CHECK(driver.calls().size() == 10);
}

TEST_CASE("get_sources_timeout ends the job at once") {
  FakeDriver driver;
  driver.config.get_sources_timeout = 200ms;
  driver.on("run", waits("get_sources", "exit 2"));
  CHECK(driver.play().failure_reason == "job_execution_timeout");
  CHECK(driver.calls() ==
        Names{"config", "prepare", "run prepare_script", "run get_sources", "cleanup"});
}

TEST_CASE("a driver that ignores SIGTERM is killed with its whole group") {
  FakeDriver driver;
  driver.config.custom.graceful_kill_timeout = 200ms;
  driver.on("run",
            "[ $stage = build_script ] || exit 0; trap '' TERM; (trap '' TERM; exec sleep 3600) & "
            "echo $! > $HOME/child; echo waiting; while :; do sleep 3600; done");
  stop_when_waiting(driver, [&] { driver.control.abort(); });
  const JobResult result = driver.play();
  CHECK(result.state == JobState::canceled);
  // Reaped or a zombie of init's: in any case it no longer runs.
  std::ifstream stat("/proc/" + std::to_string(std::stoi(driver.file("child"))) + "/stat");
  std::string pid;
  std::string name;
  std::string state = "gone";
  stat >> pid >> name >> state;
  CHECK((state == "gone" || state == "Z"));
}

TEST_CASE("cleanup is not reached by a cancel") {
  FakeDriver driver;
  driver.on("cleanup", "trap 'exit 2' TERM; echo waiting; echo done >> $HOME/cleaned; exit 0");
  stop_when_waiting(driver, [&] { driver.control.abort(); });
  driver.play();
  CHECK(driver.file("cleaned") == "done\n");
}

TEST_CASE("a stage that outlives its job for too long is given up, and cleanup comes") {
  FakeDriver driver;
  driver.config.timing.wait_for_build_finish = 200ms;
  driver.on("run",
            "[ $stage = build_script ] || exit 0; trap '' TERM; echo $$ > $HOME/pid; echo waiting; "
            "while :; do sleep 3600; done");
  stop_when_waiting(driver, [&] { driver.control.abort(); });
  CHECK(driver.play().state == JobState::canceled);
  CHECK(driver.calls().back() == "cleanup");
  CHECK_THAT(driver.observer.notes, ContainsSubstring("outlived its job"));
  ::kill(-std::stoi(driver.file("pid")), SIGKILL);
}
