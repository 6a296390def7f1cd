#include "executor/environments/workloads/observe.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/fake_namespace.hpp"

#include <atomic>

/// The gate and the way back against an API server of the test's own.
using namespace berth;
using namespace berth::environments::workloads;
using nlohmann::json;
using tests::Cluster;
using tests::impatient;
using tests::k_lists;
using tests::Lines;
using tests::list_path;
using tests::refusal;
using tests::serve;
using tests::ServerReply;
using tests::ServerRequest;
using tests::stays;

namespace {

const json k_running = {{"running", json::object()}};

}  // namespace

TEST_CASE("With the right to list alone the gate asks again and again") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {}, false);
  json probed = tests::pod("p", "h1", k_running);
  probed["spec"]["containers"][0]["readinessProbe"] = json::object();
  serve(cluster, "deployments", {tests::deployment()}, false);
  serve(cluster, "replicasets", {tests::replica_set("h1", "1")}, false);
  serve(cluster, "pods", {probed}, false);
  AfterScript script{.before = Snapshot{.name_space = "shop"}};
  Lines console;
  CHECK(conclude(cluster.client, "shop", script, console, {}).passed);
}

TEST_CASE("Where rights are missing, what workloads say of themselves counts") {
  Cluster cluster;
  for (const std::string& plural : k_lists)
    cluster.server.on("GET", list_path(plural), {refusal(403, "Forbidden", "no " + plural)});
  AfterScript script{.before = observe(cluster.client, "shop", {}), .gate = impatient()};
  serve(cluster, "deployments", {tests::deployment()});
  script.before->unseen.erase(script.before->unseen.begin());  // deployments
  Lines console;
  const Conclusion conclusion = conclude(cluster.client, "shop", script, console, {});
  CHECK(conclusion.passed);
  CHECK(conclusion.after.unseen.size() == 5);
}

TEST_CASE("What was seen before the script and cannot be seen behind it is no success") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {});
  serve(cluster, "deployments", {tests::deployment()});
  AfterScript script{.before = observe(cluster.client, "shop", {}), .gate = impatient()};
  const auto refuse = [&](const std::string& plural) {
    cluster.server.on("GET", list_path(plural), {refusal(401, "Unauthorized", "it has ended")});
  };
  Lines console;
  SECTION("all of it") {
    script.before->workloads.clear();
    for (const std::string& plural : k_lists) refuse(plural);
    CHECK_THROWS_WITH(conclude(cluster.client, "shop", script, console, {}),
                      ContainsSubstring("cannot be seen any more: deployments: it has ended"));
  }
  SECTION("a kind of which something stood there") {
    refuse("deployments");
    CHECK_THROWS_WITH(conclude(cluster.client, "shop", script, console, {}),
                      ContainsSubstring("in namespace 'shop' before the script"));
  }
  SECTION("a kind of which nothing stood there is told of") {
    refuse("cronjobs");
    CHECK(conclude(cluster.client, "shop", script, console, {}).passed);
    CHECK_THAT(console.all(), ContainsSubstring("can be seen: cronjobs: it has ended"));
  }
  SECTION("nobody asked for a gate") {
    script.gate_wanted = false;
    refuse("deployments");
    CHECK(conclude(cluster.client, "shop", script, console, {}).passed);
    CHECK_THAT(console.all(), ContainsSubstring("can be seen: deployments: it has ended"));
  }
}

TEST_CASE("Without what stood there before nothing is waited for, and it is said what is unseen") {
  Cluster cluster;
  for (const std::string& plural : k_lists)
    cluster.server.on("GET", list_path(plural), {refusal(403, "Forbidden", "no " + plural)});
  Lines console;
  CHECK(conclude(cluster.client, "shop", {}, console, {}).passed);
  CHECK_THAT(console.all(), ContainsSubstring("deployments: no deployments; "));
}

TEST_CASE("A failed script is rolled back by one patch and one apply, and proved by reading") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {});
  json probed = tests::pod("p", "h1", k_running);
  probed["spec"]["containers"][0]["readinessProbe"] = json::object();
  serve(cluster, "replicasets", {tests::replica_set("h1", "1")});
  serve(cluster, "pods", {probed});
  json bad = tests::deployment({.image = "app:v2"});
  bad["spec"]["template"]["spec"]["containers"].push_back({{"name", "extra"}, {"image", "x:1"}});
  std::atomic<bool> applied = false;
  cluster.server.on("GET", list_path("deployments"), [&](const ServerRequest& request) {
    if (request.target.find("watch=") != std::string::npos) return stays();
    const json now = applied ? tests::deployment() : bad;
    return ServerReply{
        .body =
            json{{"metadata", {{"resourceVersion", "9"}}}, {"items", json::array({now})}}.dump()};
  });
  cluster.server.on("PATCH", list_path("deployments") + "/web", [&](const ServerRequest& request) {
    applied = request.header("Content-Type") == "application/apply-patch+yaml";
    return ServerReply{.body = "{}"};
  });
  AfterScript script{.script_failed = true, .gate = impatient(), .roll_back = true};
  script.before = tests::snapshot({{Kind::deployment, tests::deployment()}}, {probed});
  Lines console;
  const Conclusion conclusion = conclude(cluster.client, "shop", script, console, {});
  INFO(console.all());
  CHECK_FALSE(conclusion.passed);
  CHECK(conclusion.cause == "the script failed");
  CHECK(conclusion.rolled_back);
  std::vector<ServerRequest> patches;
  for (const ServerRequest& request : cluster.server.requests()) {
    if (request.method == "PATCH") patches.push_back(request);
  }
  REQUIRE(patches.size() == 2);
  CHECK_THAT(patches[0].target, EndsWith("/web?fieldManager=berth"));
  CHECK(patches[0].header("Content-Type") == "application/json-patch+json");
  CHECK_THAT(patches[1].target, EndsWith("/web?fieldManager=berth&force=true"));
  const json manifest = json::parse(patches[1].body);
  CHECK(manifest["kind"] == "Deployment");
  CHECK(manifest["spec"]["template"]["spec"]["containers"].size() == 1);
}

TEST_CASE("A rollback that the cluster does not show is no success") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {});
  serve(cluster, "deployments", {tests::deployment({.image = "app:v2"})});
  cluster.server.on("PATCH", list_path("deployments") + "/web", {{.body = "{}"}});
  AfterScript script{.script_failed = true, .gate = impatient(), .roll_back = true};
  script.before = tests::snapshot({{Kind::deployment, tests::deployment()}});
  Lines console;
  const Conclusion conclusion = conclude(cluster.client, "shop", script, console, {});
  CHECK_FALSE(conclusion.rolled_back);
  CHECK_THAT(console.all(),
             ContainsSubstring("rollback: it did not succeed: Deployment 'web' runs app:v2"));
}

TEST_CASE("A rollback that is refused, or has nothing to apply, leaves the deployment failed") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {});
  json paused = tests::deployment({.image = "app:v2", .updated = 0});
  paused["spec"]["paused"] = true;
  serve(cluster, "deployments", {paused});
  cluster.server.on("PATCH", list_path("deployments") + "/web",
                    {refusal(403, "Forbidden", "may not patch")});
  AfterScript script{.gate = impatient(), .roll_back = true};
  script.before = tests::snapshot({{Kind::deployment, tests::deployment()}});
  std::string why = "may not patch";
  SECTION("refused") {}
  SECTION("its record was too large") {
    script.before->workloads.at(0).manifest.clear();
    why = "has no manifest to apply";
  }
  Lines console;
  const Conclusion conclusion = conclude(cluster.client, "shop", script, console, {});
  CHECK_FALSE(conclusion.passed);
  CHECK(conclusion.trouble == "paused");
  CHECK_THAT(conclusion.cause, StartsWith("Deployment 'web' is paused"));
  CHECK_FALSE(conclusion.rolled_back);
  REQUIRE(conclusion.rollback);
  CHECK_THAT(conclusion.rollback->cause(), ContainsSubstring(why));
  CHECK_THAT(console.all(), ContainsSubstring("rollback: it did not succeed: "));
}

TEST_CASE("Where nobody looked before, what was changed since the script began is its doing") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {});
  json paused = tests::deployment({.updated = 0, .changed = tests::k_later});
  paused["spec"]["paused"] = true;
  serve(cluster, "deployments", {paused});
  constexpr std::int64_t k_changed = 1795284600;  // k_later
  AfterScript script{.changed_since = k_changed, .gate = impatient()};
  Lines console;
  CHECK(conclude(cluster.client, "shop", script, console, {}).trouble == "paused");
  script.changed_since = k_changed + 1;
  CHECK(conclude(cluster.client, "shop", script, console, {}).passed);
}

TEST_CASE("Where nobody looked before, the last good deployment's record tells what it changed") {
  Cluster cluster;
  for (const std::string& plural : k_lists) serve(cluster, plural, {});
  json probed = tests::pod("p", "h3", k_running, 0, "app:v2");
  probed["spec"]["containers"][0]["readinessProbe"] = json::object();
  serve(cluster, "replicasets", {tests::replica_set("h3", "3")});
  serve(cluster, "pods", {probed});
  serve(cluster, "deployments",
        {tests::deployment({.image = "app:v2", .revision = "3", .changed = tests::k_later})});
  AfterScript script{.changed_since = 1795284600, .gate = impatient()};
  script.recorded = tests::snapshot({{Kind::deployment, tests::deployment()}});
  Lines console;
  const Conclusion conclusion = conclude(cluster.client, "shop", script, console, {});
  INFO(console.all());
  CHECK(conclusion.passed);
  CHECK_THAT(console.all(), ContainsSubstring("Deployment 'web' changed: app: app:v1 -> app:v2"));
  CHECK_THAT(console.all(), ContainsSubstring("was rolled out 2 times by one deployment"));
  REQUIRE(conclusion.before);
  CHECK(conclusion.before->workloads.at(0).images.at(0).image == "app:v1");
  // Nothing is said of a past that nobody knows.
  script.recorded.reset();
  Lines other;
  CHECK(conclude(cluster.client, "shop", script, other, {}).passed);
  CHECK_THAT(other.all(), !ContainsSubstring("was rolled out"));
}
