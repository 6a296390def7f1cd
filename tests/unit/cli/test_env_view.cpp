#include "cli/env/env_view.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"

using namespace berth;
using namespace berth::environments;
using cli::EnvFacts;
using tests::check_golden;

namespace {

/// Saturday, 2026-11-21 12:00 UTC.
constexpr std::int64_t k_now = 1795262400;

Deployment deployment(std::int64_t number, Result result, std::int64_t ago, std::int64_t took) {
  Deployment one;
  one.id = "0123456789a" + std::to_string(number);
  one.number = number;
  one.environment = "production";
  one.tier = "production";
  one.user = "release-bot";
  one.project = "shop/web";
  one.project_id = 3;
  one.ref = "main";
  one.sha = "0123456789abcdef0123456789abcdef01234567";
  one.pipeline = 40 + number;
  one.job = 700 + number;
  one.job_url = "https://gitlab.example.com/shop/web/-/jobs/" + std::to_string(one.job);
  one.url = "https://shop.example.com";
  one.started = k_now - ago;
  one.ended = result == Result::running ? 0 : one.started + took;
  one.result = result;
  return one;
}

EnvFacts production() {
  EnvFacts facts;
  facts.project = "shop/web";
  facts.name = "production";
  facts.rule.name = "production";
  facts.rule.approvals.count = 2;
  facts.rule.freeze = {{.from = *core::parse_cron("0 18 * * 5"),
                        .to = *core::parse_cron("0 8 * * 1"),
                        .timezone = "Europe/Berlin",
                        .reason = "weekend"}};
  Deployment rollback = deployment(4, Result::success, 4000, 75);
  rollback.origin = Origin::rollback;
  rollback.of_number = 2;
  rollback.cluster = "https://10.0.0.1:6443";
  rollback.name_space = "shop";
  rollback.workloads = {
      {.kind = "Deployment",
       .name_space = "shop",
       .name = "web",
       .change = Change::updated,
       .containers = {{"web", "registry.example.com/web:2", "sha256:2222"}, {"proxy", "nginx", ""}},
       .revision_before = 7,
       .revision_after = 8,
       .manifest = "{}"},
      {.kind = "Job",
       .name_space = "shop",
       .name = "migrate",
       .change = Change::created,
       .containers = {{"migrate", "registry.example.com/web:2", ""}},
       .revision_after = 1}};
  Deployment failed = deployment(3, Result::failed, 8000, 600);
  failed.cause = "Deployment 'web': container 'web' cannot pull its image";
  failed.break_glass = "shop is down";
  facts.history = {rollback, failed, deployment(2, Result::success, 90000, 3700),
                   deployment(1, Result::lost, 180000, 10)};
  facts.approvals = {{.user = "reviewer",
                      .project = "shop/web",
                      .pipeline = 45,
                      .comment = "looks good",
                      .at = k_now - 60},
                     {.user = "maintainer", .project = "shop/web", .pipeline = 39, .at = 1000}};
  return facts;
}

EnvFacts staging() {
  EnvFacts facts;
  facts.project = "shop/web";
  facts.name = "staging";
  facts.history = {deployment(1, Result::running, 60, 0)};
  facts.lock.holder = Holder{.id = "x",
                             .user = "on-call",
                             .who = "https://gitlab.example.com/shop/web/-/jobs/701",
                             .since = k_now - 60,
                             .expires = k_now + 3600};
  facts.lock.waiting = {{.id = "y",
                         .user = "developer",
                         .who = "https://gitlab.example.com/shop/web/-/jobs/702",
                         .since = k_now - 30,
                         .expires = k_now + 3600}};
  return facts;
}

EnvFacts locked() {
  EnvFacts facts;
  facts.name = "review/ümläut";
  Deployment stop = deployment(2, Result::success, 100, 3);
  stop.action = Action::stop;
  facts.history = {stop, deployment(1, Result::success, 200, 3)};
  facts.lock.manual =
      ManualLock{.user = "reviewer", .reason = "database moves", .since = k_now - 3600, .until = 0};
  return facts;
}

}  // namespace

TEST_CASE("env: tables for people") {
  check_golden("env/list.txt", cli::list_text({production(), locked(), staging()}, k_now));
  check_golden("env/list-empty.txt", cli::list_text({}, k_now));
  check_golden("env/show-production.txt", cli::show_text(production(), k_now));
  check_golden("env/show-staging.txt", cli::show_text(staging(), k_now));
  check_golden("env/show-locked.txt", cli::show_text(locked(), k_now));
  check_golden("env/history.txt", cli::history_text(production().history));
  check_golden("env/history-empty.txt", cli::history_text({}));
}

TEST_CASE("env: JSON for programs") {
  check_golden("env/list.json", cli::list_json({production(), locked(), staging()}, k_now));
  check_golden("env/show-production.json", cli::show_json(production(), k_now));
  check_golden("env/history.json", cli::history_json(production().history));
  CHECK(cli::history_json({}) == "[]\n");
}

TEST_CASE("env: what runs is the last start that succeeded and was not stopped") {
  CHECK(cli::current(production().history)->number == 4);
  CHECK(cli::current(locked().history) == nullptr);
  CHECK(cli::current(staging().history) == nullptr);
}

TEST_CASE("env: times in words") {
  CHECK(cli::duration_words(-5) == "0s");
  CHECK(cli::duration_words(59) == "59s");
  CHECK(cli::duration_words(250) == "4m 10s");
  CHECK(cli::duration_words(7260) == "2h 01m");
}
