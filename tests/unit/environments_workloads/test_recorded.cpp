#include "executor/environments/workloads/jobs_in_the_way.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/fake_namespace.hpp"
#include "tests/unit/environments_workloads/recorded.hpp"

using namespace berth::environments::workloads;
using berth::tests::Cluster;
using berth::tests::Expected;
using berth::tests::recorded;
using nlohmann::json;

TEST_CASE("The gate's verdict on each of the recorded rollouts is right, with its cause") {
  const Expected expected = GENERATE(from_range(berth::tests::the_twelve()));
  INFO(expected.name);
  const json record = recorded(expected.name);
  const Snapshot after = parse_snapshot(record.at("after"));
  const auto differences = diff(parse_snapshot(record.at("before")), after);
  if (expected.trouble == "immutable_job") {
    // Nothing of it is left in the cluster: the words of kubectl are the evidence.
    CHECK_THAT(immutable_job_failure("migrate", after).text, StartsWith(expected.cause));
    return;
  }
  Gate::TimePoint now{};
  Gate gate(subjects_of(differences, after), {}, now);
  for (const auto& [kind, list] : berth::tests::kinds()) {
    for (const json& object : record.at(list)) gate.see(kind, object);
  }
  Gate::Step step = gate.look(now);
  if (step.phase == Gate::Phase::rolling) step = gate.look(now + std::chrono::seconds(60));
  CHECK((step.phase == Gate::Phase::passed) == expected.trouble.empty());
  REQUIRE(step.failure.has_value() == !expected.trouble.empty());
  if (!step.failure) return;
  CHECK(to_string(step.failure->trouble) == expected.trouble);
  CHECK_THAT(step.failure->text, ContainsSubstring(expected.cause));
  CHECK(step.failure->text.find('\n') == std::string::npos);
}

TEST_CASE("A job's end after each of the recorded rollouts, over the API") {
  const Expected expected = GENERATE(from_range(berth::tests::the_twelve()));
  INFO(expected.name);
  const json record = recorded(expected.name);
  Cluster cluster;
  for (const std::string& plural : berth::tests::k_lists)
    berth::tests::serve(cluster, plural, berth::tests::items_of(record, plural));
  cluster.server.on("GET", "/api/v1/namespaces/shop/pods/*", {{.body = "first\nlast words\n"}});
  AfterScript script{.gate = berth::tests::impatient()};
  script.before = parse_snapshot(record.at("before"));
  if (expected.trouble == "immutable_job") script.immutable_jobs = {"migrate"};
  berth::tests::Lines console;
  const Conclusion conclusion = conclude(cluster.client, "shop", script, console, {});
  INFO(console.all());
  CHECK(conclusion.passed == expected.trouble.empty());
  CHECK(conclusion.trouble == expected.trouble);
  CHECK_THAT(conclusion.cause, ContainsSubstring(expected.cause));
  if (expected.trouble == "crash_loop") {
    CHECK_THAT(conclusion.cause, EndsWith("; last words: last words"));
    CHECK_THAT(console.all(), ContainsSubstring("| first\n| last words\n"));
  }
}
