#include "executor/environments/workloads/review.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

using namespace berth;
using namespace berth::environments::workloads;
using nlohmann::json;
using tests::Cluster;
using tests::refusal;
using tests::ServerRequest;

namespace {

constexpr const char* k_path = "/api/v1/namespaces/review-login";
constexpr const char* k_template =
    "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: '{slug}', namespace: other}\n"
    "spec: {hard: {pods: '5'}}\n---\n# nothing\n---\n"
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed}\n"
    "spec: {podSelector: {}}\n";
const ReviewNamespace k_wanted{
    .name = "review-login", .environment = "review/login", .project = "shop/web", .expires = 2000};

json made(const std::string& environment = "review/login", const std::string& expires = "1000") {
  return {{"metadata",
           {{"name", "review-login"},
            {"uid", "n1"},
            {"labels", {{"berth.review", "true"}}},
            {"annotations",
             {{"berth.environment", environment},
              {"berth.project", "shop/web"},
              {"berth.expires", expires}}}}}};
}

}  // namespace

TEST_CASE("A review environment's namespace has its slug in its name") {
  CHECK(namespace_name("review-{slug}", "login") == "review-login");
  CHECK_THROWS_AS(namespace_name("Review-{slug}", "login"), support::OperatorError);
  CHECK_THROWS_AS(namespace_name("{slug}", ""), support::OperatorError);
  CHECK_THROWS_AS(namespace_name("review-{slug}", std::string(60, 'a')), support::OperatorError);
}

TEST_CASE("A template's documents become objects of the namespace") {
  const auto objects = read_template(k_template, "quota.yaml", "login", "review-login");
  REQUIRE(objects.size() == 2);
  CHECK(objects[0].name == "login");
  CHECK(objects[0].resource.plural == "resourcequotas");
  CHECK(json::parse(objects[0].object)["spec"]["hard"]["pods"] == "5");
  CHECK_FALSE(json::parse(objects[0].object)["metadata"].contains("namespace"));
  CHECK(objects[1].resource.group == "networking.k8s.io");
}

TEST_CASE("A template of other kinds is refused with its place") {
  CHECK(tests::message_of<support::OperatorError>([] {
          read_template(
              "kind: ConfigMap\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: x}\n",
              "t.yaml", "s", "n");
        }) == "t.yaml:4:1: kind 'Pod' is not one of those");
  CHECK_THROWS_AS(read_template("kind: ConfigMap\n", "t", "s", "n"), support::OperatorError);
  CHECK_THROWS_AS(read_template("a: [", "t", "s", "n"), support::OperatorError);
}

TEST_CASE("The namespace is made once, and its end moves with each deployment") {
  Cluster cluster;
  cluster.server.on("GET", k_path, {refusal(404, "NotFound", "no"), {.body = made().dump()}});
  cluster.server.on("POST", "/api/v1/namespaces", {{.status = 201, .body = made().dump()}});
  cluster.server.on("PATCH", "*", {{.body = "{}"}});
  const auto objects = read_template(k_template, "quota.yaml", "login", "review-login");
  ensure_namespace(cluster.client, k_wanted, objects, {});
  CHECK(cluster.server.count("POST", "/api/v1/namespaces") == 1);
  CHECK(cluster.server.count("PATCH", std::string(k_path) + "/resourcequotas/login") == 1);
  ensure_namespace(cluster.client, k_wanted, {}, {});
  CHECK(cluster.server.count("POST", "/api/v1/namespaces") == 1);
  const ServerRequest moved = cluster.server.requests().back();
  CHECK(json::parse(moved.body)["metadata"]["annotations"]["berth.expires"] == "2000");
}

TEST_CASE("A namespace of others is neither taken nor removed") {
  Cluster cluster;
  json foreign = made();
  foreign["metadata"].erase("labels");
  const json object = GENERATE(true, false) ? foreign : made("review/other");
  cluster.server.on("GET", k_path, {{.body = object.dump()}});
  CHECK_THROWS_AS(ensure_namespace(cluster.client, k_wanted, {}, {}), support::JobError);
  ReviewNamespace known = k_wanted;
  known.expires = 0;
  CHECK(remove_namespace(cluster.client, known, {}) == NamespaceRemoval::not_ours);
  CHECK(cluster.server.count("DELETE", k_path) == 0);
}

TEST_CASE("Neither another project nor a look of long ago removes a namespace") {
  Cluster cluster;
  cluster.server.on("GET", k_path, {{.body = made().dump()}});
  cluster.server.on("DELETE", k_path, {{.body = "{}"}});
  ReviewNamespace known = k_wanted;
  known.expires = 0;
  NamespaceRemoval wanted = NamespaceRemoval::not_ours;
  SECTION("as it is") {
    wanted = NamespaceRemoval::begun;
  }
  SECTION("another project's environment of that name") {
    known.project = "evil/web";
  }
  SECTION("its end has moved since") {
    known.expires = 999;
  }
  CHECK(remove_namespace(cluster.client, known, {}) == wanted);
  CHECK(cluster.server.count("DELETE", k_path) == (wanted == NamespaceRemoval::begun ? 1 : 0));
}

TEST_CASE("Namespaces whose time is over are removed, and no others") {
  json young = made("review/a", "5000");
  json forever = made("review/b", "0");
  json going = made("review/c");
  going["metadata"]["deletionTimestamp"] = "2026-11-21T18:00:00Z";
  json foreign = made("review/d");
  foreign["metadata"].erase("labels");
  const json items = json::array({made(), young, forever, going, foreign});
  CHECK(expired(items, 1000).size() == 1);
  CHECK(expired(items, 999).empty());
  Cluster cluster;
  cluster.server.on("GET", "/api/v1/namespaces", {{.body = json{{"items", items}}.dump()}});
  cluster.server.on("GET", k_path, {{.body = made().dump()}});
  cluster.server.on("DELETE", k_path, {{.body = "{}"}});
  const auto over = find_expired(cluster.client, 1000, {});
  REQUIRE(over.size() == 1);
  CHECK(remove_namespace(cluster.client, over[0], {}) == NamespaceRemoval::begun);
  CHECK(json::parse(cluster.server.requests().back().body)["preconditions"]["uid"] == "n1");
}
