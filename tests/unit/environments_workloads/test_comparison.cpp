#include "executor/environments/workloads/comparison.hpp"
#include "executor/environments/workloads/record.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/environments_workloads/objects.hpp"

#include <algorithm>

using namespace berth;
using namespace berth::environments::workloads;
using nlohmann::json;
using tests::deployment;
using tests::job;
using tests::pod;
using tests::snapshot;
using What = Difference::What;

namespace {

const std::string k_digest = "sha256:" + std::string(64, 'a');

json other_digest(json pod) {
  pod["status"]["containerStatuses"][0]["imageID"] = "sha256:" + std::string(64, 'b');
  return pod;
}

}  // namespace

TEST_CASE("A workload is read with its revision, its images, and digests of the pods that run it") {
  const Snapshot seen = snapshot({{Kind::deployment, deployment({.revision = "7"})}},
                                 {pod("p1", "h1", {{"running", json::object()}})});
  const Workload& web = seen.workloads.at(0);
  CHECK(web.id.text() == "Deployment 'web'");
  CHECK(web.revision == "7");
  REQUIRE(web.images.size() == 1);
  CHECK(web.images[0] == Image{"app", "app:v1", k_digest});
  CHECK(web.images[0].text() == "app:v1 (sha256:aaaaaaaaaaaa)");
  CHECK_FALSE(web.owned);
}

TEST_CASE("Pods that run an older manifest give no digest, nor do those of others") {
  const json old = pod("p1", "h0", {{"running", json::object()}}, 0, "app:v0");
  json foreign = pod("p2", "h1", {{"running", json::object()}});
  foreign["metadata"]["ownerReferences"][0]["name"] = "other-h1";
  const Snapshot seen = snapshot({{Kind::deployment, deployment()}}, {old, foreign});
  CHECK(seen.workloads[0].images[0].digest.empty());
}

TEST_CASE("A manifest is what its authors wrote, without what controllers add") {
  json object = deployment();
  object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}";
  object["metadata"]["annotations"]["team"] = "shop";
  const json manifest = json::parse(read_workload(Kind::deployment, object).manifest);
  CHECK(manifest["apiVersion"] == "apps/v1");
  CHECK(manifest["kind"] == "Deployment");
  CHECK(manifest["metadata"] == json({{"name", "web"}, {"annotations", {{"team", "shop"}}}}));
  CHECK_FALSE(manifest.contains("status"));
  CHECK_FALSE(manifest["spec"]["template"]["metadata"].contains("creationTimestamp"));
  CHECK(manifest["spec"]["replicas"] == 1);
}

TEST_CASE("The number of replicas is an autoscaler's where one sets it") {
  json object = deployment();
  object["metadata"]["managedFields"].push_back(
      {{"manager", "kube-controller-manager"},
       {"subresource", "scale"},
       {"fieldsV1", {{"f:spec", {{"f:replicas", json::object()}}}}}});
  const json manifest = json::parse(read_workload(Kind::deployment, object).manifest);
  CHECK_FALSE(manifest["spec"].contains("replicas"));
}

TEST_CASE("What a script did is told in words") {
  const Snapshot before =
      snapshot({{Kind::deployment, deployment()}, {Kind::job, job("app:v1", "Complete", "j1")}},
               {pod("p1", "h1", {{"running", json::object()}})});
  json changed = deployment({.image = "app:v2", .generation = 2, .revision = "2"});
  changed["spec"]["template"]["spec"]["containers"][0]["env"] = {
      {{"name", "DEBUG"}, {"value", "1"}}};
  const Snapshot after =
      snapshot({{Kind::deployment, changed}, {Kind::job, job("app:v2", "", "j2")}});
  const std::vector<Difference> all = diff(before, after);
  REQUIRE(all.size() == 2);
  CHECK(words(all[0]) ==
        "Deployment 'web' changed: app: app:v1 (sha256:aaaaaaaaaaaa) -> app:v2; also "
        "spec.template.spec.containers[app].env");
  CHECK(all[0].revision_before == "1");
  CHECK(all[0].revision_after == "2");
  CHECK(all[1].what == What::remade);
  CHECK(words(all[1]) == "Job 'migrate' was made anew: run: app:v1 -> app:v2");
  CHECK(to_json(all[0])["what"] == "changed");
}

TEST_CASE("Status alone is no change, and a Job that is gone is none either") {
  const Snapshot before =
      snapshot({{Kind::deployment, deployment()}, {Kind::job, job("app:v1", "Complete", "j1")}});
  const Snapshot after = snapshot({{Kind::deployment, deployment({.available = 0})}});
  CHECK(diff(before, after).empty());
}

TEST_CASE("A kind that one side could not see is not compared") {
  Snapshot before = snapshot({});
  before.unseen = {"deployments: forbidden"};
  const Snapshot after = snapshot({{Kind::deployment, deployment()}});
  CHECK(diff(before, after).empty());
  before.unseen.clear();
  REQUIRE(diff(before, after).size() == 1);
  CHECK(diff(before, after)[0].what == What::created);
}

TEST_CASE("A tag that moved is seen by its digest") {
  const json running = pod("p1", "h1", {{"running", json::object()}});
  const Snapshot before = snapshot({{Kind::deployment, deployment()}}, {running});
  const Snapshot after = snapshot({{Kind::deployment, deployment()}}, {other_digest(running)});
  const auto all = drift(before, after);
  REQUIRE(all.size() == 1);
  CHECK(words(all[0]) ==
        "Deployment 'web' runs another image of the same tag: app: app:v1 (sha256:aaaaaaaaaaaa) -> "
        "app:v1 (sha256:bbbbbbbbbbbb)");
}

TEST_CASE("Drift is what somebody changed since the record, but for Jobs") {
  const Snapshot recorded = snapshot({{Kind::deployment, deployment()}});
  CHECK(
      drift(recorded, snapshot({{Kind::deployment, deployment()}, {Kind::job, job("x", "", "j")}}))
          .empty());
  const auto all =
      drift(recorded, snapshot({{Kind::deployment, deployment({.replicas = 3, .all = 3})}}));
  REQUIRE(all.size() == 1);
  CHECK(words(all[0]) == "Deployment 'web' changed: spec.replicas");
  const auto gone = drift(recorded, snapshot({}));
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].what == What::removed);
}

TEST_CASE("Fields are named by path, lists by their names, and no more than a dozen") {
  const json a = {{"list", {{{"name", "x"}, {"v", 1}}, {{"name", "y"}}}},
                  {"labels", {{"a.b/c", 1}}},
                  {"plain", {1, 2}}};
  const json b = {
      {"list", {{{"name", "x"}, {"v", 2}}}}, {"labels", {{"a.b/c", 2}}}, {"plain", {1}}};
  CHECK(field_changes(a, b) ==
        std::vector<std::string>{"labels['a.b/c']", "list[x].v", "list[y]", "plain"});
  CHECK(field_changes(a, b, 2) == std::vector<std::string>{"labels['a.b/c']", "list[x].v", "..."});
}

TEST_CASE("A snapshot comes back from JSON as it was") {
  const Snapshot seen =
      snapshot({{Kind::deployment, deployment()}, {Kind::job, job("app:v1", "Failed", "j1")}},
               {pod("p1", "h1", {{"running", json::object()}})});
  CHECK(parse_snapshot(to_json(seen)) == seen);
  json broken = to_json(seen);
  broken["workloads"][0]["kind"] = "Pod";
  CHECK_THROWS_AS(parse_snapshot(broken), support::SystemError);
  broken["workloads"][0].erase("kind");
  CHECK_THROWS_AS(parse_snapshot(broken), support::SystemError);
}

TEST_CASE("A record keeps what changed, and gives the state back without what was removed") {
  using environments::Change;
  const Snapshot before = snapshot({{Kind::deployment, deployment()}});
  json set = deployment();
  set["metadata"]["name"] = "db";
  const Snapshot after =
      snapshot({{Kind::stateful_set, set}, {Kind::job, job("app:v1", "Complete", "j1")}});
  const auto record = to_record(&before, after);
  REQUIRE(record.size() == 3);
  CHECK(record[0].kind == "StatefulSet");
  CHECK(record[0].change == Change::created);
  CHECK_FALSE(record[0].manifest.empty());
  CHECK(record[1].kind == "Job");
  CHECK(record[1].manifest.empty());
  CHECK(record[2].name == "web");
  CHECK(record[2].change == Change::removed);
  CHECK(record[2].manifest.empty());
  const Snapshot again =
      state_after({.cluster = "10.0.0.1:6443", .name_space = "shop", .workloads = record});
  REQUIRE(again.workloads.size() == 2);
  CHECK(again.workloads[0].id == Id{Kind::stateful_set, "db"});
  CHECK(drift(again, after).empty());
  CHECK(to_record(nullptr, after)[0].change == Change::unchanged);
}

TEST_CASE(
    "Of what stood there before, manifests are kept where they are compared or brought back") {
  json owned = deployment();
  owned["metadata"]["name"] = "made";
  owned["metadata"]["ownerReferences"] = {{{"kind", "App"}, {"name", "a"}, {"controller", true}}};
  Snapshot before = snapshot({{Kind::deployment, deployment()},
                              {Kind::deployment, owned},
                              {Kind::job, job("app:v1", "Complete", "j1")}});
  drop_needless_manifests(before);
  for (const Workload& one : before.workloads)
    CHECK(one.manifest.empty() == (one.id != Id{Kind::deployment, "web"}));
  CHECK(before.workloads.size() == 3);
  // A Job that was deleted and made anew is told all the same, without fields.
  const Snapshot after = snapshot({{Kind::job, job("app:v1", "", "j2")}});
  const auto all = diff(before, after);
  const auto remade = std::find_if(all.begin(), all.end(),
                                   [](const auto& one) { return one.id.kind == Kind::job; });
  REQUIRE(remade != all.end());
  CHECK(remade->what == What::remade);
  CHECK(remade->fields.empty());

  Snapshot running = snapshot({{Kind::job, job("app:v1", "", "j1")}});
  drop_needless_manifests(running);
  CHECK_FALSE(running.workloads[0].manifest.empty());
}
