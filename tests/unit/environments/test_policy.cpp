#include "executor/environments/policy.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth;
using namespace berth::environments;

namespace {

/// Saturday, 2026-11-21 12:00 UTC.
constexpr std::int64_t k_now = 1795262400;
constexpr std::int64_t k_hour = 3600;

Request request() {
  return {.environment = "production",
          .user = "release-bot",
          .project = "shop/web",
          .project_id = 3,
          .ref = "main",
          .ref_protected = true,
          .sha = "aaaa1111bbbb",
          .source = "push",
          .pipeline = 40,
          .job = 7};
}

settings::EnvironmentRule rule() {
  settings::EnvironmentRule result;
  result.name = "production";
  return result;
}

std::string refusal(const settings::EnvironmentRule& rule, const Request& request,
                    const Known& known = {}, const std::string& reason = "") {
  return tests::message_of<Refusal>([&] { decide(rule, request, reason, known, k_now); });
}

std::string key(const settings::EnvironmentRule& rule, const Request& request,
                const Known& known = {}) {
  return tests::thrown_by<Refusal>([&] { decide(rule, request, "", known, k_now); }).rule();
}

Deployment deployed(std::int64_t number, std::int64_t pipeline, const std::string& sha,
                    Result result = Result::success) {
  Deployment one;
  one.number = number;
  one.environment = "production";
  one.project_id = 3;
  one.pipeline = pipeline;
  one.sha = sha;
  one.ref = "main";
  one.ended = k_now - k_hour;
  one.result = result;
  return one;
}

settings::Window weekend() {
  return {.from = *core::parse_cron("0 18 * * 5"),
          .to = *core::parse_cron("0 8 * * 1"),
          .timezone = "Europe/Berlin",
          .reason = "weekend"};
}

Approval approval(const std::string& user, std::int64_t age = k_hour) {
  return {.user = user, .project = "shop/web", .pipeline = 40, .at = k_now - age};
}

}  // namespace

TEST_CASE("policy: without rules everything passes") {
  CHECK(decide({}, request(), "", {}, k_now) == Decision{});
}

TEST_CASE("policy: projects, refs, users and sources") {
  auto only = rule();
  only.projects = {"shop/*"};
  only.refs = {"main", "release/*"};
  only.users = {"release-bot", "ops-*"};
  only.sources = {"push", "web"};
  only.protected_refs = true;
  CHECK_NOTHROW(check_access(only, request()));

  Request other = request();
  other.project = "evil/web";
  CHECK(refusal(only, other) ==
        "environment 'production' is closed to this job: rule 'production', projects: project "
        "'evil/web' is none of shop/*");
  other = request();
  other.ref = "feature";
  CHECK(key(only, other) == "refs");
  other.ref = "release/1";
  CHECK_NOTHROW(check_access(only, other));
  other.user = "ops-7";
  CHECK_NOTHROW(check_access(only, other));
  other.user = "stranger";
  CHECK(key(only, other) == "users");
  other = request();
  other.source = "merge_request_event";
  CHECK(key(only, other) == "sources");
  other = request();
  other.ref_protected = false;
  CHECK(refusal(only, other) ==
        "environment 'production' is closed to this job: rule 'production', protected: ref 'main' "
        "is not protected");
}

TEST_CASE("policy: a freeze says until when") {
  auto frozen = rule();
  frozen.freeze = {weekend()};
  const auto refused = tests::thrown_by<Refusal>([&] { decide(frozen, request(), "", {}, k_now); });
  CHECK(refused.rule() == "freeze");
  CHECK(std::string(refused.what()) ==
        "environment 'production' is closed to this job: rule 'production', freeze: a freeze is "
        "on, 'weekend', from \"0 18 * * 5\" to \"0 8 * * 1\" Europe/Berlin; it passes from Mon "
        "2026-11-23 08:00 CET on");
  CHECK(refused.hint() == "retry the job then");
  CHECK(refused.fault() == support::Fault::job);
  CHECK_NOTHROW(decide(frozen, request(), "", {}, k_now + 48 * k_hour));
}

TEST_CASE("policy: windows that allow") {
  auto office = rule();
  office.allow = {
      {.from = *core::parse_cron("0 9 * * 1-5"), .to = *core::parse_cron("0 17 * * 1-5")}};
  CHECK(refusal(office, request()) ==
        "environment 'production' is closed to this job: rule 'production', allow: no window for "
        "deployments is open; it passes from Mon 2026-11-23 09:00 UTC on");
}

TEST_CASE("policy: the project's own freeze") {
  Request frozen = request();
  frozen.gitlab_freeze = true;
  CHECK(key(rule(), frozen) == "gitlab_freeze");
  auto deaf = rule();
  deaf.gitlab_freeze = false;
  CHECK_NOTHROW(decide(deaf, frozen, "", {}, k_now));
}

TEST_CASE("policy: breaking the glass, with a reason and by the right user") {
  auto frozen = rule();
  frozen.freeze = {weekend()};
  // The variable means nothing where no rule names it.
  const core::Variables variables(
      std::vector<core::Variable>{{.key = "BREAK_GLASS", .value = "shop is down"}});
  CHECK(break_glass_reason(frozen, variables).empty());
  frozen.break_glass = {.variable = "BREAK_GLASS", .users = {"release-bot", "ops-*"}};
  CHECK(break_glass_reason(frozen, variables) == "shop is down");

  CHECK(decide(frozen, request(), "shop is\ndown", {}, k_now).break_glass == "shop is down");
  CHECK_THAT(tests::thrown_by<Refusal>([&] { decide(frozen, request(), "", {}, k_now); }).hint(),
             ContainsSubstring("BREAK_GLASS=<reason>"));
  Request other = request();
  other.user = "stranger";
  CHECK_THAT(refusal(frozen, other, {}, "let me"),
             EndsWith("BREAK_GLASS may not be used by 'stranger'"));
  // Outside a freeze it is not recorded.
  CHECK(decide(frozen, request(), "shop is down", {}, k_now + 48 * k_hour).break_glass.empty());
  // It opens windows alone.
  auto strict = frozen;
  strict.approvals.count = 1;
  CHECK_THAT(refusal(strict, request(), {}, "shop is down"), ContainsSubstring("approvals"));
}

TEST_CASE("policy: a lock by hand") {
  const ManualLock lock{.user = "reviewer",
                        .reason = "database moves",
                        .since = k_now - k_hour,
                        .until = k_now + k_hour};
  const Known locked{.manual = lock};
  CHECK(
      refusal(rule(), request(), locked) ==
      "environment 'production' is closed to this job: rule 'production', locked by hand: reviewer "
      "has locked it since Sat 2026-11-21 11:00 UTC, until Sat 2026-11-21 13:00 UTC: database "
      "moves");
  Known over = locked;
  over.manual->until = k_now;
  CHECK_NOTHROW(decide(rule(), request(), "", over, k_now));
  over.manual->until = 0;
  CHECK_THAT(refusal(rule(), request(), over), ContainsSubstring("until it is unlocked"));
}

TEST_CASE("policy: an older pipeline than the last one") {
  const Known known{.history = {deployed(2, 50, "cccc"), deployed(1, 30, "dddd")}};
  CHECK(refusal(rule(), request(), known) ==
        "environment 'production' is closed to this job: rule 'production', outdated: pipeline 40 "
        "is older than pipeline 50, which deployed cccc of 'main' there at Sat 2026-11-21 11:00 "
        "UTC");
  Request newer = request();
  newer.pipeline = 51;
  CHECK_NOTHROW(decide(rule(), newer, "", known, k_now));
  newer.pipeline = 50;
  CHECK_NOTHROW(decide(rule(), newer, "", known, k_now));
  Request stop = request();
  stop.action = Action::stop;
  CHECK_NOTHROW(decide(rule(), stop, "", known, k_now));
  Request other = request();
  other.project_id = 4;  // ids of pipelines say nothing between projects
  CHECK_NOTHROW(decide(rule(), other, "", known, k_now));
  // Nor does another project's deployment in between make an old pipeline new.
  Known between = known;
  between.history.insert(between.history.begin(), deployed(9, 7, "eeee"));
  between.history[0].project_id = 4;
  CHECK(key(rule(), request(), between) == "outdated");
  auto lax = rule();
  lax.outdated = true;
  CHECK_NOTHROW(decide(lax, request(), "", known, k_now));
}

TEST_CASE("policy: only what succeeded makes others outdated") {
  const Known known{.history = {deployed(3, 60, "eeee", Result::failed),
                                deployed(2, 55, "ffff", Result::lost), deployed(1, 30, "dddd")}};
  CHECK_NOTHROW(decide(rule(), request(), "", known, k_now));
}

TEST_CASE("policy: a pipeline that once deployed may come back: a rollback") {
  const Known known{.history = {deployed(2, 50, "cccc"), deployed(1, 40, "aaaa1111bbbb")}};
  CHECK(decide(rule(), request(), "", known, k_now).of_number == 1);
  // Not with another commit, nor after it had failed.
  const Known moved{.history = {deployed(2, 50, "cccc"), deployed(1, 40, "9999")}};
  CHECK(key(rule(), request(), moved) == "outdated");
  const Known failed{
      .history = {deployed(2, 50, "cccc"), deployed(1, 40, "aaaa1111bbbb", Result::failed)}};
  CHECK(key(rule(), request(), failed) == "outdated");
  // Behind a rollback to it, the newer pipeline is the newest again.
  const Known back{.history = {deployed(3, 40, "aaaa1111bbbb"), deployed(2, 50, "cccc")}};
  CHECK_NOTHROW(decide(rule(), request(), "", back, k_now));
}

TEST_CASE("policy: approvals of others, each once, in time, for this pipeline") {
  auto two = rule();
  two.approvals.count = 2;
  CHECK(refusal(two, request()) ==
        "environment 'production' is closed to this job: rule 'production', approvals: 0 of 2 "
        "approvals are given; it passes when others than release-bot have approved pipeline 40");
  CHECK(tests::thrown_by<Refusal>([&] { decide(two, request(), "", {}, k_now); }).hint() ==
        "`berth env approve production --project shop/web --pipeline 40` on the runner's host, "
        "then retry the job");
  CHECK(decide(two, request(), "", {.approvals = {approval("reviewer"), approval("maintainer")}},
               k_now)
            .approved_by == std::vector<std::string>{"reviewer", "maintainer"});
  // The same one twice, in any case of letters; the job's own.
  CHECK(key(two, request(), {.approvals = {approval("reviewer"), approval("Reviewer")}}) ==
        "approvals");
  CHECK(key(two, request(), {.approvals = {approval("reviewer"), approval("Release-Bot")}}) ==
        "approvals");
  // Too old; another pipeline; another project.
  CHECK(key(two, request(),
            {.approvals = {approval("reviewer"), approval("maintainer", 24 * k_hour)}}) ==
        "approvals");
  Approval other = approval("maintainer");
  other.pipeline = 41;
  CHECK(key(two, request(), {.approvals = {approval("reviewer"), other}}) == "approvals");
  other = approval("maintainer");
  other.project = "shop/api";
  CHECK_THAT(refusal(two, request(), {.approvals = {approval("reviewer"), other}}),
             ContainsSubstring("1 of 2 approvals are given (by reviewer)"));
  // Only those who are named.
  two.approvals.users = {"on-call", "developer"};
  CHECK(key(two, request(), {.approvals = {approval("reviewer"), approval("on-call")}}) ==
        "approvals");
  CHECK_NOTHROW(decide(two, request(), "",
                       {.approvals = {approval("developer"), approval("on-call")}}, k_now));
}
