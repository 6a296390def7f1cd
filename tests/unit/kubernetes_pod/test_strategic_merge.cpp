#include "executor/kubernetes/pod/pod_patch.hpp"
#include "executor/kubernetes/pod/strategic_merge.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

#include <nlohmann/json.hpp>

using namespace berth;
using kubernetes::strategic_merge;
using nlohmann::json;

namespace {

json merged(const char* spec, const char* patch) {
  return strategic_merge(json::parse(spec), json::parse(patch));
}

std::string failure(const char* spec, const char* patch) {
  return tests::message_of<support::OperatorError>([&] { merged(spec, patch); });
}

constexpr const char* k_containers = R"({"containers": [
  {"name": "build", "image": "a", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
   "command": ["x", "y"], "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
  {"name": "helper", "image": "b"}]})";

}  // namespace

TEST_CASE("strategic merge: a container merges by its name, deeply") {
  const json result = merged(k_containers, R"({"containers": [
    {"name": "build", "image": "c", "resources": {"limits": {"cpu": "2"}},
     "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]}]})");
  const json& build = result["containers"][0];
  CHECK(result["containers"].size() == 2);
  CHECK(build["image"] == "c");
  CHECK(build["command"] == json::array({"x", "y"}));
  CHECK(build["resources"]["limits"] == json{{"cpu", "2"}, {"memory", "1Gi"}});
  CHECK(build["env"] == json::parse(R"([{"name": "A", "value": "1"}, {"name": "B", "value": "3"},
                                        {"name": "C", "value": "4"}])"));
  CHECK(result["containers"][1] == json{{"name", "helper"}, {"image", "b"}});
}

TEST_CASE("strategic merge: what is new stands where Kubernetes' own merge puts it") {
  // In the patch's order, before what the patch does not name, unless that was
  // ahead of something that it does name.
  const auto names = [](const json& spec) {
    std::string all;
    for (const json& one : spec["containers"]) all += one["name"].get<std::string>();
    return all;
  };
  constexpr const char* k_abc = R"({"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})";
  CHECK(names(merged(k_abc, R"({"containers": [{"name": "x"}]})")) == "xabc");
  CHECK(names(merged(k_abc, R"({"containers": [{"name": "b"}, {"name": "x"}]})")) == "abxc");
  CHECK(names(merged(k_abc, R"({"containers": [{"name": "c"}, {"name": "a"}]})")) == "bca");
  CHECK(names(merged(k_abc, R"({"$setElementOrder/containers":
                                [{"name": "c"}, {"name": "b"}, {"name": "a"}]})")) == "cba");
  CHECK(names(merged(k_abc, R"({"$setElementOrder/containers": [{"name": "b"}, {"name": "x"}],
                                "containers": [{"name": "x", "image": "i"}]})")) == "abxc");
}

TEST_CASE("strategic merge: lists that do not merge are replaced") {
  CHECK(merged(R"({"tolerations": [{"key": "a"}]})", R"({"tolerations": [{"key": "b"}]})") ==
        json::parse(R"({"tolerations": [{"key": "b"}]})"));
  CHECK(
      merged(
          k_containers,
          R"({"containers": [{"name": "build", "command": ["z"]}]})")["containers"][0]["command"] ==
      json::array({"z"}));
  // `name` merges in a PodSpec's volumes, not in any list called so.
  CHECK(merged(R"({"dnsConfig": {"options": [{"name": "a"}]}})",
               R"({"dnsConfig": {"options": [{"name": "b"}]}})") ==
        json::parse(R"({"dnsConfig": {"options": [{"name": "b"}]}})"));
}

TEST_CASE("strategic merge: every merging list has its own key") {
  const auto check = [](const char* spec, const char* patch, const char* result) {
    INFO(spec);
    CHECK(merged(spec, patch) == json::parse(result));
  };
  check(R"({"hostAliases": [{"ip": "1", "hostnames": ["a"]}]})",
        R"({"hostAliases": [{"ip": "1", "hostnames": ["b"]}]})",
        R"({"hostAliases": [{"ip": "1", "hostnames": ["b"]}]})");
  check(R"({"imagePullSecrets": [{"name": "a"}]})", R"({"imagePullSecrets": [{"name": "a"}]})",
        R"({"imagePullSecrets": [{"name": "a"}]})");
  check(R"({"topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": 1}]})",
        R"({"topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": 2}]})",
        R"({"topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": 2}]})");
  check(R"({"containers": [{"name": "b", "volumeMounts": [{"mountPath": "/a", "name": "v"}],
                            "ports": [{"containerPort": 80, "name": "web"}]}]})",
        R"({"containers": [{"name": "b", "volumeMounts": [{"mountPath": "/a", "readOnly": true}],
                            "ports": [{"containerPort": 80, "protocol": "UDP"}]}]})",
        R"({"containers": [{"name": "b",
             "volumeMounts": [{"mountPath": "/a", "name": "v", "readOnly": true}],
             "ports": [{"containerPort": 80, "name": "web", "protocol": "UDP"}]}]})");
}

TEST_CASE("strategic merge: null deletes, and is not added") {
  CHECK(merged(R"({"a": 1, "b": {"c": 1, "d": 2}})",
               R"({"a": null, "b": {"c": null}, "x": null})") == json::parse(R"({"b": {"d": 2}})"));
  CHECK(merged("{}", R"({"b": {"c": null, "d": 1}})") == json::parse(R"({"b": {"d": 1}})"));
}

TEST_CASE("strategic merge: $patch") {
  constexpr const char* k_volumes =
      R"({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}]})";
  CHECK(merged(k_volumes, R"({"volumes": [{"name": "a", "$patch": "delete"}]})") ==
        json::parse(R"({"volumes": [{"name": "b", "emptyDir": {}}]})"));
  CHECK(merged(k_volumes, R"({"volumes": [{"$patch": "replace"}, {"name": "c"}]})") ==
        json::parse(R"({"volumes": [{"name": "c"}]})"));
  CHECK(merged(R"({"securityContext": {"runAsUser": 1, "fsGroup": 2}})",
               R"({"securityContext": {"$patch": "replace", "runAsUser": 3}})") ==
        json::parse(R"({"securityContext": {"runAsUser": 3}})"));
  CHECK(merged(R"({"securityContext": {"runAsUser": 1}})",
               R"({"securityContext": {"$patch": "delete"}})") ==
        json::parse(R"({"securityContext": {}})"));
  // Directives for what is not there leave nothing behind.
  CHECK(merged("{}", R"({"securityContext": {"$patch": "delete"}})") == json::object());
  CHECK(merged("{}", R"({"volumes": [{"name": "a", "$patch": "delete"}]})") ==
        json::parse(R"({"volumes": []})"));
}

TEST_CASE("strategic merge: $retainKeys and $deleteFromPrimitiveList") {
  CHECK(merged(R"({"volumes": [{"name": "repo", "emptyDir": {"medium": "Memory"}}]})",
               R"({"volumes": [{"name": "repo", "$retainKeys": ["name", "hostPath"],
                                "hostPath": {"path": "/x"}}]})") ==
        json::parse(R"({"volumes": [{"name": "repo", "hostPath": {"path": "/x"}}]})"));
  CHECK(merged(R"({"metadata": {"finalizers": ["a", "b"]}})",
               R"({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "c"]}})") ==
        json::parse(R"({"metadata": {"finalizers": ["b"]}})"));
}

TEST_CASE("strategic merge: errors name the place") {
  CHECK(failure("{}", R"({"containers": [{"image": "x"}]})") ==
        "strategic merge patch: /containers: an element has no 'name'");
  CHECK(failure("{}", R"({"containers": [{"name": null}]})") ==
        "strategic merge patch: /containers: an element has no 'name'");
  CHECK(failure("{}", R"({"containers": ["x"]})") ==
        "strategic merge patch: /containers: must be a list of objects");
  CHECK(failure(R"({"a": {"b": {}}})", R"({"a": {"b": {"$patch": "drop"}}})") ==
        "strategic merge patch: /a/b: $patch must be replace or delete");
  CHECK(failure("{}", R"({"$retain": 1})") == "strategic merge patch: /$retain: unknown directive");
  CHECK(failure(R"({"volumes": [{"name": "r"}]})",
                R"({"volumes": [{"name": "r", "$retainKeys": ["name"], "nfs": {}}]})") ==
        "strategic merge patch: /volumes/\"r\": $retainKeys does not name 'nfs', which the patch "
        "sets");
  CHECK(failure("{}", "[]") == "strategic merge patch: /: must be a map");
}

TEST_CASE("pod patches: in their order, each in its own way") {
  using Type = settings::PodSpecPatch::Type;
  json spec = json::parse(R"({"hostNetwork": false, "containers": [{"name": "build"}]})");
  kubernetes::apply_patches(
      spec, {{.name = "a", .type = Type::merge, .patch = R"({"hostNetwork": true, "x": 1})"},
             {.name = "b", .type = Type::json, .patch = R"([{"op": "remove", "path": "/x"}])"},
             {.name = "c", .patch = R"({"containers": [{"name": "build", "tty": true}]})"}});
  CHECK(spec ==
        json::parse(R"({"hostNetwork": true, "containers": [{"name": "build", "tty": true}]})"));

  const auto failed = [&](const settings::PodSpecPatch& patch) {
    return tests::message_of<support::OperatorError>([&] {
      json copy = spec;
      kubernetes::apply_patches(copy, {patch});
    });
  };
  CHECK(failed({.name = "b", .type = Type::json, .patch = R"([{"op": "remove", "path": "/no"}])"})
            .starts_with("kubernetes.pod_spec of berth.yaml: patch 'b' does not apply: "));
  CHECK(failed({.type = Type::json,
                .patch = R"([{"op": "test", "path": "/hostNetwork", "value": false}])"})
            .starts_with("kubernetes.pod_spec of berth.yaml: patch number 1 does not apply: "));
  CHECK(failed({.name = "c", .patch = R"({"containers": [{}]})"}) ==
        "kubernetes.pod_spec of berth.yaml: patch 'c' does not apply: strategic merge patch: "
        "/containers: an element has no 'name'");
}
