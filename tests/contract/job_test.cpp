#include "tests/contract/job_fixture.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <string>
#include <vector>

// The four programs against an in-process engine, started as the runner starts
// them. What a job's log and the runner's verdict must be.

using namespace berth::tests;
using berth::local::runner::Control;
using berth::local::runner::JobState;

namespace {

std::size_t count(const std::vector<std::string>& calls, const std::string& wanted) {
  return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), wanted));
}

/// Plays the job, and acts once when its log has "started" as a line's end.
template <typename Act>
JobFixture::Outcome act_when_started(JobFixture& fixture,
                                     const berth::local::runner::Payload& payload, Act act) {
  bool acted = false;
  return fixture.play(payload, [&](const std::string& log, Control& control) {
    if (acted || log.find("started\n") == std::string::npos) return;
    acted = true;
    act(control);
  });
}

const std::vector<std::string> k_endless{"echo started", "sleep 600"};
const std::vector<std::string> k_after{"echo after $CI_JOB_STATUS"};

}  // namespace

TEST_CASE("a job passes, stage by stage, and leaves nothing") {
  JobFixture fixture;
  const auto outcome =
      fixture.play(JobFixture::job({"echo one", "echo two >&2"}, {"echo after $CI_JOB_STATUS"}));
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::success);
  REQUIRE_THAT(outcome.log, ContainsSubstring("one\n") && ContainsSubstring("two\n") &&
                                ContainsSubstring("after success\n"));
  REQUIRE(outcome.calls == std::vector<std::string>{"config", "prepare", "run prepare_script",
                                                    "run get_sources", "run build_script",
                                                    "run after_script",
                                                    "run cleanup_file_variables", "cleanup"});
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("an engine on another machine is reached by exec, with the same result") {
  JobFixture fixture(false);
  const auto outcome = fixture.play(JobFixture::job({"echo over there", "exit 9"}));
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::failed);
  REQUIRE(outcome.result.exit_code == 9);
  REQUIRE_THAT(outcome.log, ContainsSubstring("over there\n"));
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("the script's exit code reaches the runner, whatever it is") {
  const int code = GENERATE(1, 2, 42, 126, 127, 255);
  JobFixture fixture;
  const auto outcome = fixture.play(JobFixture::job({"exit " + std::to_string(code)}));
  INFO(outcome.log);
  REQUIRE(outcome.result.failure_reason == "script_failure");
  REQUIRE(outcome.result.exit_code == code);
}

TEST_CASE("variables that are not public stay out of every container's definition") {
  JobFixture fixture;
  auto payload = JobFixture::job({"test \"$HIDDEN\" = the-hidden-value"});
  berth::local::runner::Variable variable;
  variable.key = "HIDDEN";
  variable.value = "the-hidden-value";
  payload.variables.push_back(variable);
  payload.services.push_back({.name = "postgres:15"});
  std::string bodies;
  fixture.engine().set_fault([&](const FakeEngine::Request& request) {
    bodies += request.path + request.body;
    return FakeEngine::Fault::none;
  });
  payload.variables.push_back([] {
    berth::local::runner::Variable wait;
    wait.key = "HEALTHCHECK_TCP_PORT";
    wait.value = "1";
    return wait;
  }());
  const auto outcome = fixture.play(payload);
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::success);
  REQUIRE_THAT(bodies, ContainsSubstring("/containers/create"));
  REQUIRE_THAT(bodies, !ContainsSubstring("the-hidden-value"));
  REQUIRE_THAT(bodies, !ContainsSubstring("token-of-the-job"));
}

TEST_CASE("an image that does not exist blames the job, once") {
  JobFixture fixture;
  auto payload = JobFixture::job({"true"});
  payload.image.name = "no.such/image:1";
  const auto outcome = fixture.play(payload);
  INFO(outcome.log);
  REQUIRE(outcome.result.failure_reason == "script_failure");
  REQUIRE(count(outcome.calls, "prepare") == 1);
  REQUIRE_THAT(outcome.log, ContainsSubstring("no.such/image:1"));
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("an entrypoint that ends is named, with its code, its words and a way out") {
  JobFixture fixture;
  auto payload = JobFixture::job({"true"});
  payload.image.name = "ends:1";
  const auto outcome = fixture.play(payload);
  REQUIRE(outcome.result.state == JobState::failed);
  REQUIRE_THAT(outcome.log, ContainsSubstring("ends:1") &&
                                ContainsSubstring("this entrypoint ends") &&
                                ContainsSubstring("entrypoint: [\"\"]"));
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("an engine that fails is asked in three attempts, each cleaned up") {
  JobFixture fixture;
  fixture.engine().set_fault([](const FakeEngine::Request& request) {
    return request.path.starts_with("/containers/create") ? FakeEngine::Fault::error_500
                                                          : FakeEngine::Fault::none;
  });
  const auto outcome = fixture.play(JobFixture::job({"true"}));
  INFO(outcome.log);
  REQUIRE(outcome.result.failure_reason == "runner_system_failure");
  REQUIRE(count(outcome.calls, "prepare") == 3);
  REQUIRE(count(outcome.calls, "cleanup") == 3);
  REQUIRE_THAT(outcome.log, ContainsSubstring("the engine had a fault"));
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("a build container that dies mid-script is a system failure that says so") {
  JobFixture fixture;
  const auto outcome = act_when_started(fixture, JobFixture::job(k_endless), [&](Control&) {
    fixture.engine().kill_container("-build");
  });
  INFO(outcome.log);
  REQUIRE(outcome.result.failure_reason == "runner_system_failure");
  REQUIRE_THAT(outcome.log, ContainsSubstring("137"));
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("a cancelled script is ended, and after_script is told") {
  JobFixture fixture;
  const auto outcome = act_when_started(fixture, JobFixture::job(k_endless, k_after),
                                        [](Control& control) { control.cancel(); });
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::canceled);
  REQUIRE_THAT(outcome.log, ContainsSubstring("after canceled\n"));
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("an aborted job has no after_script and leaves nothing") {
  JobFixture fixture;
  const auto outcome = act_when_started(fixture, JobFixture::job(k_endless, k_after),
                                        [](Control& control) { control.abort(); });
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::canceled);
  REQUIRE_THAT(outcome.log, !ContainsSubstring("after canceled"));
  REQUIRE(count(outcome.calls, "cleanup") == 1);
  REQUIRE(fixture.leftovers().empty());
}

TEST_CASE("a response file with nothing but a token is a job all the same") {
  JobFixture fixture;
  auto payload = JobFixture::job({"echo bare"});
  payload.id = 0;
  payload.job_info = {};
  const auto outcome = fixture.play(payload);
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::success);
  REQUIRE_THAT(outcome.log, ContainsSubstring("bare\n"));
}
