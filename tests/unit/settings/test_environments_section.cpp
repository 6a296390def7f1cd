#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/settings/section.hpp"

using namespace berth;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

settings::Environments parse(const std::string& lines) {
  return *tests::parse_section("environments:\n", lines).environments;
}

std::string message(const std::string& lines) {
  return tests::message_of<support::OperatorError>([&] { parse(lines); });
}

}  // namespace

TEST_CASE("environments settings: absent and empty are not the same") {
  CHECK_FALSE(settings::parse("backend: docker\n", "f").environments.has_value());
  CHECK(settings::parse("environments: {}\n", "f").environments == settings::Environments{});
}

TEST_CASE("environments settings: every key") {
  const settings::Environments all = parse(R"(store:
  file: {path: /srv/ledger}
  keep: 50
events:
  file: /var/log/berth/events.jsonl
  webhook: https://hooks.example.com/x?y=1
  token_file: /etc/berth/hook-token
rules:
  - name: production
    projects: ["shop/*"]
    refs: [main, "release/*"]
    users: [release-bot, "ops-*"]
    protected: true
    sources: [push, web]
    contexts: [prod]
    namespaces: ["shop-*"]
    kubeconfig: /etc/berth/prod.kubeconfig
    lock: {busy: fail, wait: 5m}
    freeze:
      - {from: "0 18 * * 5", to: "0 8 * * 1", timezone: Europe/Berlin, reason: weekend}
    allow:
      - {from: "0 9 * * 1-5", to: "0 17 * * 1-5"}
    gitlab_freeze: false
    break_glass: {variable: BREAK_GLASS, users: [release-bot]}
    outdated: allow
    approvals: {count: 2, users: [reviewer, maintainer, on-call], valid_for: 4h}
    gate: {timeout: 5m, soak: 30s, probe: "https://shop.example.com/healthz"}
    on_failure: rollback
  - name: review/*
    approvals: 1
    gate: false
    break_glass: EMERGENCY
    review: {namespace: "review-{slug}", manifest: /etc/berth/review.yaml, ttl: 3d})");
  CHECK(all.store.kind == settings::LedgerStore::Kind::file);
  CHECK(all.store.path == "/srv/ledger");
  CHECK(all.store.keep == 50);
  CHECK(all.events.file == "/var/log/berth/events.jsonl");
  CHECK(all.events.webhook == "https://hooks.example.com/x?y=1");
  CHECK(all.events.token_file == "/etc/berth/hook-token");
  REQUIRE(all.rules.size() == 2);
  const settings::EnvironmentRule& rule = all.rules[0];
  CHECK(rule.name == "production");
  CHECK(rule.projects == Words{"shop/*"});
  CHECK(rule.refs == Words{"main", "release/*"});
  CHECK(rule.users == Words{"release-bot", "ops-*"});
  CHECK(rule.protected_refs);
  CHECK(rule.sources == Words{"push", "web"});
  CHECK(rule.contexts == Words{"prod"});
  CHECK(rule.namespaces == Words{"shop-*"});
  CHECK(rule.kubeconfig == "/etc/berth/prod.kubeconfig");
  CHECK(rule.lock.busy == settings::LockRule::Busy::fail);
  CHECK(rule.lock.wait == 5min);
  REQUIRE(rule.freeze.size() == 1);
  CHECK(rule.freeze[0].from.text == "0 18 * * 5");
  CHECK(rule.freeze[0].timezone == "Europe/Berlin");
  CHECK(rule.freeze[0].reason == "weekend");
  REQUIRE(rule.allow.size() == 1);
  CHECK(rule.allow[0].timezone == "UTC");
  CHECK_FALSE(rule.gitlab_freeze);
  CHECK(rule.break_glass.variable == "BREAK_GLASS");
  CHECK(rule.break_glass.users == Words{"release-bot"});
  CHECK(rule.outdated);
  CHECK(rule.approvals.count == 2);
  CHECK(rule.approvals.users == Words{"reviewer", "maintainer", "on-call"});
  CHECK(rule.approvals.valid_for == 4h);
  CHECK(rule.gate.timeout == 5min);
  CHECK(rule.gate.soak == 30s);
  CHECK(rule.gate.probe == "https://shop.example.com/healthz");
  CHECK(rule.on_failure == settings::EnvironmentRule::OnFailure::rollback);
  CHECK(all.rules[1].approvals.count == 1);
  CHECK_FALSE(all.rules[1].gate.enabled);
  CHECK(all.rules[1].break_glass.variable == "EMERGENCY");
  CHECK(all.rules[1].review.name_space == "review-{slug}");
  CHECK(all.rules[1].review.manifest == "/etc/berth/review.yaml");
  CHECK(all.rules[1].review.ttl == 72h);
}

TEST_CASE("environments settings: the example, with its comment signs taken away") {
  const std::string text = support::read_file(BERTH_EXAMPLE_SETTINGS, 100000);
  std::string yaml;
  for (std::size_t at = text.find("# environments:"); at < text.size();) {
    const std::size_t end = text.find('\n', at);
    yaml += text.substr(at + 2, end - at - 1);
    at = end + 1;
  }
  const auto parsed = settings::parse(yaml, "example").environments;
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->rules.size() == 2);
  CHECK(parsed->rules[0].freeze.size() == 1);
  CHECK(parsed->rules[0].approvals.users.size() == 2);
  CHECK(parsed->rules[1].review.name_space == "review-{slug}");
}

TEST_CASE("environments settings: the store in a cluster") {
  const settings::LedgerStore store = parse("store: {kubernetes: {namespace: ledger}}").store;
  CHECK(store.kind == settings::LedgerStore::Kind::kubernetes);
  CHECK(store.name_space == "ledger");
}

TEST_CASE("environments settings: the first rule that matches counts") {
  const settings::Environments all = parse(R"(rules:
  - {name: review/special, outdated: allow}
  - {name: review/*, approvals: 1}
  - {name: "**", approvals: 2})");
  CHECK(settings::rule_of(all, "review/special").outdated);
  CHECK(settings::rule_of(all, "review/special").approvals.count == 0);
  CHECK(settings::rule_of(all, "review/x").approvals.count == 1);
  CHECK(settings::rule_of(all, "review/x/y").approvals.count == 2);
  CHECK(settings::rule_of(parse("rules: []"), "production") == settings::EnvironmentRule{});
}

TEST_CASE("environments settings: what is wrong is said with its place") {
  CHECK(message("rules: [{names: x}]") ==
        "f:2:12: unknown key 'names' in 'rules'; did you mean 'name'?");
  CHECK(message("rules: [{protected: true}]") == "f:2:11: 'rules' has an entry without 'name'");
  CHECK_THAT(message("rules: [{name: p, freeze: [{from: \"0 18 * *\", to: \"0 8 * * 1\"}]}]"),
             StartsWith("f:2:37: 'from' must be a cron expression of five fields"));
  CHECK(message("rules: [{name: p, freeze: [{from: \"0 18 * * 5\"}]}]") ==
        "f:2:30: 'freeze' has a window without 'from' or 'to'");
  CHECK(message("rules: [{name: p, allow: [{from: \"0 8 * * 1\", to: \"0 8 * * 1\"}]}]") ==
        "f:2:29: 'allow' has a window that begins whenever it ends");
  CHECK_THAT(message("rules: [{name: p, freeze: [{from: \"0 1 * * 1\", to: \"0 2 * * 1\", "
                     "timezone: Mars/Olympus}]}]"),
             EndsWith("'timezone' must be a zone of the system's tzdata, such as Europe/Berlin, "
                      "not 'Mars/Olympus'"));
  CHECK_THAT(message("rules: [{name: \"a[\"}]"), ContainsSubstring("'name' must be"));
  CHECK_THAT(message("rules: [{name: p, lock: {busy: maybe}}]"), EndsWith("not 'maybe'"));
  CHECK_THAT(message("rules: [{name: p, approvals: {count: 3, users: [a, b]}}]"),
             EndsWith("'approvals' asks for more users than it names"));
  CHECK_THAT(message("rules: [{name: p, break_glass: {users: [a]}}]"),
             EndsWith("'break_glass' has no 'variable'"));
  CHECK_THAT(message("rules: [{name: p, review: {namespace: review}}]"),
             ContainsSubstring("must contain {slug}"));
  CHECK_THAT(message("rules: [{name: p, gate: {probe: \"file:///x\"}}]"),
             ContainsSubstring("'probe' must be an address"));
  CHECK_THAT(message("store: {file: {path: ledger}}"), ContainsSubstring("an absolute path"));
  CHECK_THAT(message("store: {kubernetes: {}}"), EndsWith("has no 'namespace'"));
  CHECK_THAT(message("store: {file: {path: /x}, kubernetes: {namespace: y}}"),
             EndsWith("'store' names two places"));
}
