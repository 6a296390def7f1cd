#include "executor/environments/workloads/promotion.hpp"
#include "executor/environments/workloads/rollback.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/objects.hpp"

using namespace berth::environments::workloads;
using berth::tests::deployment;
using berth::tests::job;
using berth::tests::pod;
using berth::tests::snapshot;
using nlohmann::json;

namespace {

const json k_running = {{"running", json::object()}};

json with_container(json object, const std::string& name) {
  object["spec"]["template"]["spec"]["containers"].push_back({{"name", name}, {"image", "x:1"}});
  return object;
}

json moved(json pod) {
  pod["status"]["containerStatuses"][0]["imageID"] = "sha256:" + std::string(64, 'b');
  return pod;
}

}  // namespace

TEST_CASE("What differs from the record is applied as recorded, what does not is left alone") {
  json db = deployment();
  db["metadata"]["name"] = "db";
  const Snapshot recorded = snapshot({{Kind::deployment, db}, {Kind::deployment, deployment()}});
  const RollbackPlan plan = plan_rollback(
      recorded,
      snapshot({{Kind::deployment, db}, {Kind::deployment, deployment({.image = "app:v2"})}}));
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].id.name == "web");
  CHECK(plan.steps[0].manifest == recorded.workloads[1].manifest);
  CHECK(plan.steps[0].removal.empty());
  CHECK(plan.left.empty());
}

TEST_CASE("What was added since is taken away, in one patch that is for this object alone") {
  const Snapshot recorded = snapshot({{Kind::deployment, deployment()}});
  json live = with_container(deployment({.image = "app:v2"}), "extra");
  live["spec"]["paused"] = true;
  const RollbackPlan plan = plan_rollback(recorded, snapshot({{Kind::deployment, live}}));
  REQUIRE(plan.steps.size() == 1);
  const json patch = json::parse(plan.steps[0].removal);
  const json wanted = json::parse(plan.steps[0].manifest)["spec"]["template"];
  CHECK(patch == json::array({{{"op", "test"}, {"path", "/metadata/uid"}, {"value", "d1"}},
                              {{"op", "remove"}, {"path", "/spec/paused"}},
                              {{"op", "replace"}, {"path", "/spec/template"}, {"value", wanted}}}));
}

TEST_CASE("A number of replicas that an autoscaler sets by now is its own") {
  json recorded = deployment();
  recorded["spec"].erase("replicas");
  const RollbackPlan plan =
      plan_rollback(snapshot({{Kind::deployment, recorded}}),
                    snapshot({{Kind::deployment, deployment({.image = "app:v2", .replicas = 7})}}));
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].removal.empty());
}

TEST_CASE("Jobs are never run again, and what is newer than the record stays") {
  const Snapshot recorded = snapshot({{Kind::job, job("app:v1", "Complete", "j1")}});
  json owned = deployment();
  owned["metadata"]["ownerReferences"] = {{{"kind", "App"}, {"name", "a"}, {"controller", true}}};
  owned["metadata"]["name"] = "made";
  const RollbackPlan plan = plan_rollback(
      recorded, snapshot({{Kind::deployment, deployment()}, {Kind::deployment, owned}}));
  CHECK(plan.steps.empty());
  CHECK(plan.left ==
        std::vector<std::string>{"Deployment 'web' is newer than the record, and stays"});
}

TEST_CASE("What is gone is made again, unless it was something else's") {
  json owned = deployment();
  owned["metadata"]["name"] = "made";
  owned["metadata"]["ownerReferences"] = {{{"kind", "App"}, {"name", "a"}, {"controller", true}}};
  const RollbackPlan plan = plan_rollback(
      snapshot({{Kind::deployment, deployment()}, {Kind::deployment, owned}}), snapshot({}));
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].id.name == "web");
  CHECK(plan.left.size() == 1);
}

TEST_CASE("A rollback is proved by images and digests") {
  const json running = pod("p", "h1", k_running);
  const Snapshot recorded = snapshot({{Kind::deployment, deployment()}}, {running});
  CHECK(unlike(recorded, recorded).empty());
  CHECK(unlike(recorded, snapshot({{Kind::deployment, deployment()}}, {moved(running)})) ==
        std::vector<std::string>{"Deployment 'web' runs app:v1 (sha256:bbbbbbbbbbbb) as 'app', and "
                                 "the record says app:v1 (sha256:aaaaaaaaaaaa)"});
  CHECK(unlike(recorded, snapshot({{Kind::deployment, deployment({.image = "app:v2"})}})).size() ==
        1);
  CHECK(unlike(recorded, snapshot({})) ==
        std::vector<std::string>{"Deployment 'web' is not there"});
}

TEST_CASE("A promotion sets the images that differ, and knows what must run in the end") {
  const Snapshot source = snapshot({{Kind::deployment, deployment({.image = "app:v2"})}},
                                   {pod("p", "h1", k_running, 0, "app:v2")});
  const Snapshot target = snapshot({{Kind::deployment, deployment()}});
  const PromotionPlan plan = plan_promotion(source, target);
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].from == "app:v1");
  CHECK(plan.steps[0].to == "app:v2");
  CHECK(plan.unproved.empty());
  CHECK(unlike(plan, source).empty());
  CHECK(unlike(plan, target).size() == 1);
  // The tag is right, and what it names is another image, or nobody can tell.
  CHECK(unlike(plan, snapshot({{Kind::deployment, deployment({.image = "app:v2"})}},
                              {moved(pod("p", "h1", k_running, 0, "app:v2"))}))
            .size() == 1);
  CHECK(unlike(plan, snapshot({{Kind::deployment, deployment({.image = "app:v2"})}})).size() == 1);
}

TEST_CASE("Nothing is promoted whose digest nobody saw, nor to where it is not") {
  const Snapshot source = snapshot({{Kind::deployment, deployment()}});
  CHECK(plan_promotion(source, source).unproved.size() == 1);
  const PromotionPlan plan = plan_promotion(source, snapshot({}));
  CHECK(plan.wanted.empty());
  CHECK(plan.left.size() == 1);
}

TEST_CASE("A record without manifests brings nothing back") {
  Snapshot recorded =
      snapshot({{Kind::deployment, deployment()}, {Kind::job, job("app", "", "j")}});
  CHECK(can_bring_back(recorded));
  for (Workload& one : recorded.workloads) {
    if (one.id.kind != Kind::job) one.manifest.clear();
  }
  CHECK_FALSE(can_bring_back(recorded));
  CHECK_FALSE(can_bring_back({}));
}
