#include "executor/support/files.hpp"
#include "tests/contract/deployment_site.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

// Jobs with an `environment:`, through the four programs as the runner starts them.

using namespace berth;
using namespace berth::environments;
using local::runner::Control;
using local::runner::JobState;
using local::runner::Payload;
using tests::JobFixture;
using tests::Site;

namespace {

using Words = std::vector<std::string>;
constexpr const char* k_open = "  rules: []\n";

}  // namespace

TEST_CASE("deployment: without the section a job with an environment is like any other") {
  Site site("");
  const auto outcome = site.fixture.play(site.job({"echo hi"}));
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::success);
  CHECK_FALSE(std::filesystem::exists(site.root()));
  CHECK_FALSE(std::filesystem::exists(site.folder() / "state" / "deployments"));
  CHECK_THAT(outcome.log, !ContainsSubstring("environment '"));
}

TEST_CASE("deployment: a job without an environment is like any other") {
  Site site(k_open);
  const auto outcome = site.fixture.play(JobFixture::job({"echo hi"}));
  REQUIRE(outcome.result.state == JobState::success);
  CHECK_FALSE(std::filesystem::exists(site.root()));
}

TEST_CASE("deployment: what succeeded is on record, and the lock is free again") {
  Site site(k_open);
  const Payload payload = site.job({"echo deploying"});
  const auto outcome = site.fixture.play(payload);
  INFO(outcome.log);
  REQUIRE(outcome.result.state == JobState::success);
  CHECK_THAT(outcome.log,
             ContainsSubstring("deployment 1 of environment 'production' begins") &&
                 ContainsSubstring("deployment 1 of environment 'production': success"));
  REQUIRE(site.history().size() == 1);
  const Deployment one = site.history()[0];
  CHECK(one.result == Result::success);
  CHECK(one.user == "release-bot");
  CHECK(one.project == "shop/web");
  CHECK(one.pipeline == 40);
  CHECK(one.ref == "main");
  CHECK(one.sha == std::string(40, 'a'));
  CHECK(one.job == payload.id);
  CHECK(one.job_url == "https://gitlab/" + std::to_string(payload.id));
  CHECK(one.started > 0);
  CHECK(one.ended >= one.started);
  CHECK(site.ledger()->lock_state("production") == LockState{});
  CHECK(std::filesystem::is_empty(site.folder() / "state" / "deployments"));
  CHECK(site.told() == Words{"started", "succeeded"});
  CHECK(site.fixture.leftovers().empty());
}

TEST_CASE("deployment: over an engine that is reached by exec it is the same") {
  Site site(k_open);
  site.fixture.config().process_environment.push_back("BERTH_TRANSPORT=exec");
  const auto outcome = site.fixture.play(site.job({"exit 4"}));
  INFO(outcome.log);
  CHECK(outcome.result.exit_code == 4);
  CHECK(site.history().at(0).result == Result::failed);
}

TEST_CASE("deployment: a script that fails is the job's failure with its code, and on record") {
  Site site(k_open);
  const auto outcome = site.fixture.play(site.job({"exit 3"}));
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK(outcome.result.exit_code == 3);
  CHECK(site.history().at(0).result == Result::failed);
  CHECK(site.history().at(0).cause == "the script failed with exit code 3");
  CHECK(site.told() == Words{"started", "failed"});
}

TEST_CASE("deployment: a cancelled one says so, and frees the lock") {
  Site site(k_open);
  bool asked = false;
  const auto outcome = site.fixture.play(site.job({"echo started", "sleep 600"}),
                                         [&](const std::string& log, Control& control) {
                                           if (asked || log.find("started\n") == std::string::npos)
                                             return;
                                           asked = true;
                                           control.cancel();
                                         });
  INFO(outcome.log);
  CHECK(site.history().at(0).result == Result::canceled);
  CHECK(site.ledger()->lock_state("production") == LockState{});
}

TEST_CASE("deployment: in a freeze the job is refused at once, with the reason, and once") {
  Site site(
      "  rules:\n"
      "    - name: production\n"
      "      freeze:\n"
      "        - {from: \"0 0 1 1 *\", to: \"59 23 31 12 *\", timezone: Europe/Berlin,\n"
      "           reason: holidays}\n");
  const auto outcome = site.fixture.play(site.job({"echo deploying"}));
  INFO(outcome.log);
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK(std::count(outcome.calls.begin(), outcome.calls.end(), "prepare") == 1);
  CHECK_THAT(outcome.log, ContainsSubstring("environment 'production' is closed to this job: rule "
                                            "'production', freeze: a freeze is on, 'holidays'") &&
                              ContainsSubstring("it passes from"));
  CHECK_THAT(outcome.log, !ContainsSubstring("deploying"));
  CHECK(site.history().empty());
  CHECK(site.told() == Words{"refused"});
  CHECK(site.fixture.leftovers().empty());
  // Other environments are free.
  CHECK(site.fixture.play(site.job({"true"}, "test")).result.state == JobState::success);
}

TEST_CASE("deployment: a job cannot name another environment, nor another user") {
  Site site(
      "  rules:\n"
      "    - {name: production, users: [reviewer]}\n");
  Payload payload = site.job({"true"});
  Site::add(payload, "GITLAB_USER_LOGIN", "reviewer");
  CHECK_THAT(
      site.fixture.play(payload).log,
      ContainsSubstring("gives a variable of GitLab's own another value: 'GITLAB_USER_LOGIN'"));
  payload = site.job({"true"});
  Site::add(payload, "CI_ENVIRONMENT_NAME", "test");
  CHECK_THAT(site.fixture.play(payload).log, ContainsSubstring("'CI_ENVIRONMENT_NAME'"));
  CHECK(site.history().empty());
}

TEST_CASE("deployment: to verify, prepare and access is none, but takes the same rights") {
  Site site(
      "  rules:\n"
      "    - {name: closed, users: [reviewer]}\n"
      "    - {name: production, freeze: [{from: \"* * * * *\", to: \"0 0 1 1 *\"}]}\n");
  for (const char* action : {"prepare", "verify", "access"}) {
    INFO(action);
    CHECK(site.fixture.play(site.job({"true"}, "production", action)).result.state ==
          JobState::success);
    CHECK_THAT(site.fixture.play(site.job({"true"}, "closed", action)).log,
               ContainsSubstring("users: user 'release-bot' is none of reviewer"));
  }
  CHECK(site.history().empty());
  CHECK(site.history("closed").empty());
}

TEST_CASE("deployment: a stop is one") {
  Site site(k_open);
  CHECK(site.fixture.play(site.job({"true"}, "review/x", "stop")).result.state ==
        JobState::success);
  CHECK(site.history("review/x").at(0).action == Action::stop);
}

TEST_CASE("deployment: approvals come from others, then the job passes") {
  Site site("  rules:\n    - {name: production, approvals: 1}\n");
  CHECK_THAT(site.fixture.play(site.job({"true"})).log,
             ContainsSubstring("0 of 1 approvals are given"));
  const Approval approval{
      .user = "release-bot", .project = "shop/web", .pipeline = 40, .at = std::int64_t{1} << 40};
  site.ledger()->approve("production", approval);
  CHECK(site.fixture.play(site.job({"true"})).result.state == JobState::failed);
  Approval other = approval;
  other.user = "reviewer";
  site.ledger()->approve("production", other);
  CHECK(site.fixture.play(site.job({"true"})).result.state == JobState::success);
  CHECK(site.history().at(0).approved_by == Words{"reviewer"});
}

TEST_CASE("deployment: of two at once one runs, the other waits, with place and holder") {
  Site site(k_open);
  const auto go = site.folder() / "go";
  // Whoever comes while the other is there says so; the job's script runs on this host.
  const std::string inside = (site.folder() / "inside").native();
  const Words script{"mkdir " + inside + " || { echo both inside; exit 9; }",
                     "while [ ! -e " + go.native() + " ]; do sleep 0.02; done", "rmdir " + inside};
  std::atomic<bool> waited{false};
  const auto release = [&](const std::string& log, Control&) {
    if (waited || log.find("waiting, place 1 in line") == std::string::npos) return;
    waited = true;
    std::ofstream(go) << "x";
  };
  const Payload first = site.job(script);
  const Payload second = site.job(script);
  std::vector<JobFixture::Outcome> outcomes(2);
  std::thread other([&] { outcomes[1] = site.fixture.play(second, release); });
  outcomes[0] = site.fixture.play(first, release);
  other.join();
  for (const auto& outcome : outcomes) {
    INFO(outcome.log);
    CHECK(outcome.result.state == JobState::success);
  }
  CHECK(waited);
  const std::string& log = outcomes[0].log.find("waiting, place") != std::string::npos
                               ? outcomes[0].log
                               : outcomes[1].log;
  CHECK_THAT(log, ContainsSubstring("environment 'production' is in use by https://gitlab/"));
  const auto history = site.history();
  REQUIRE(history.size() == 2);
  CHECK(history[0].result == Result::success);
  CHECK(history[1].result == Result::success);
  CHECK(history[0].started >= history[1].ended);
  CHECK(site.ledger()->lock_state("production") == LockState{});
}

TEST_CASE("deployment: another project's environment of that name is another one") {
  Site site("  rules:\n    - {name: production, lock: {busy: fail}}\n");
  const Claim other{.id = "x", .who = "https://gitlab/1", .until = std::int64_t{1} << 40};
  REQUIRE(site.ledger("bank/web")->try_lock("production", other).held);
  CHECK(site.fixture.play(site.job({"true"})).result.state == JobState::success);
  CHECK(site.history().at(0).number == 1);
  CHECK(site.ledger("bank/web")->history("production", 0).empty());
  // An operator locks the name, and with it every project's.
  site.ledger({})->set_manual_lock("production", ManualLock{.user = "on-call", .reason = "moves"});
  CHECK_THAT(site.fixture.play(site.job({"true"})).log,
             ContainsSubstring("on-call has locked it since"));
}

TEST_CASE("deployment: where the rule says so the other fails at once") {
  Site site("  rules:\n    - {name: production, lock: {busy: fail}}\n");
  const Claim other{
      .id = "x", .user = "reviewer", .who = "https://gitlab/1", .until = std::int64_t{1} << 40};
  REQUIRE(site.ledger()->try_lock("production", other).held);
  const auto outcome = site.fixture.play(site.job({"true"}));
  CHECK(outcome.result.failure_reason == "script_failure");
  CHECK_THAT(outcome.log, ContainsSubstring(
                              "environment 'production' is in use by https://gitlab/1 (reviewer)"));
  CHECK(site.ledger()->lock_state("production").waiting.empty());
  CHECK(site.told() == Words{"refused"});
}
