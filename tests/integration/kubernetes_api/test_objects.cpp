#include "executor/kubernetes/api/watch.hpp"
#include "tests/integration/kubernetes_api/cluster_under_test.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth;
using namespace berth::kubernetes;
using nlohmann::json;
using tests::ClusterUnderTest;
using tests::soon;

namespace {

template <typename Call>
ApiError refused(Call call) {
  return tests::thrown_by<ApiError>(call);
}

json config_map(const std::string& name) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"labels", {{"a", "b"}}}}},
          {"data", {{"one", "1"}}}};
}

}  // namespace

TEST_CASE("objects are made, found, changed and removed") {
  ClusterUnderTest cluster;
  const std::string& ns = cluster.name_space();
  const json made = cluster->create(resources::k_config_maps, ns, config_map("c"), {});
  CHECK(cluster->get(resources::k_config_maps, ns, "c", {})["data"]["one"] == "1");
  CHECK_FALSE(cluster->find(resources::k_config_maps, ns, "d", {}).has_value());
  cluster->create(resources::k_config_maps, ns, config_map("e"), {});
  CHECK(cluster->list(resources::k_config_maps, ns, {.field = {}, .label = "a=b"}, {})["items"]
            .size() == 2);
  CHECK(cluster
            ->list(resources::k_config_maps, ns, {.field = "metadata.name=e", .label = {}},
                   {})["items"]
            .size() == 1);
  CHECK(refused([&] {
          cluster->create(resources::k_config_maps, ns, config_map("c"), {});
        }).already_exists());

  const auto patch = [&](const json& change, PatchType type) {
    return cluster->patch(resources::k_config_maps, ns, "c", change, {.type = type}, {})["data"];
  };
  CHECK(patch({{"data", {{"two", "2"}}}}, PatchType::merge) == json{{"one", "1"}, {"two", "2"}});
  CHECK(patch(json::parse(R"([{"op":"remove","path":"/data/one"}])"), PatchType::json) ==
        json{{"two", "2"}});
  CHECK(patch({{"data", {{"three", "3"}}}}, PatchType::strategic) ==
        json{{"three", "3"}, {"two", "2"}});

  const auto remove = [&](const std::string& uid) {
    return cluster->remove(resources::k_config_maps, ns, "c", {.uid = uid}, {});
  };
  CHECK(refused([&] { remove("another"); }).conflict());
  CHECK(remove(made["metadata"]["uid"]) == Deletion::started);
  CHECK(remove("") == Deletion::absent);
}

TEST_CASE("what the server refuses is told apart") {
  ClusterUnderTest cluster(json{{"pod-security.kubernetes.io/enforce", "restricted"}});
  const std::string& ns = cluster.name_space();
  const ApiError security = refused([&] { cluster.create(cluster.pod("p", {"true"})); });
  CHECK(security.is_admission());
  CHECK_THAT(security.server_text(), ContainsSubstring("PodSecurity"));

  json odd = config_map("odd");
  odd["dta"] = "x";
  const ApiError unknown = refused([&] { cluster->create(resources::k_config_maps, ns, odd, {}); });
  CHECK(unknown.invalid());
  CHECK_THAT(unknown.server_text(), ContainsSubstring("unknown field \"dta\""));

  json bad = config_map("Not A Name");
  const ApiError invalid = refused([&] { cluster->create(resources::k_config_maps, ns, bad, {}); });
  CHECK(invalid.reason() == "Invalid");
  CHECK_FALSE(invalid.status().causes.empty());

  cluster->create({.plural = "resourcequotas", .singular = "resource quota"}, ns,
                  {{"apiVersion", "v1"},
                   {"kind", "ResourceQuota"},
                   {"metadata", {{"name", "q"}}},
                   {"spec", {{"hard", {{"count/secrets", "0"}}}}}},
                  {});
  const json secret = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "s"}}}};
  std::optional<ApiError> quota;
  // The quota counts once a controller has looked at it; until then it refuses
  // with other words ("status unknown"), or not at all.
  for (int i = 0; i < 200 && !quota; ++i) {
    try {
      cluster->create(resources::k_secrets, ns, secret, {});
      cluster->remove(resources::k_secrets, ns, "s", {}, {});
    } catch (const ApiError& error) {
      if (error.is_quota()) quota = error;
    }
  }
  REQUIRE(quota.has_value());
  CHECK(quota->fault() == support::Fault::infrastructure);

  Client nobody(cluster.as_nobody());
  const ApiError rights = refused([&] { nobody.get(resources::k_pods, ns, "p", {}); });
  CHECK(rights.is_rbac());
  CHECK_FALSE(
      nobody.may({.name_space = ns, .verb = "create", .resource = resources::k_pods}, {}).allowed);
  CHECK(cluster
            ->may({.name_space = ns,
                   .verb = "create",
                   .resource = resources::k_pods,
                   .subresource = "exec"},
                  {})
            .allowed);
  CHECK(refused([&] {
          cluster->get(resources::k_pods, "berth-no-such-namespace", "p", {});
        }).not_found());
  CHECK(refused([&] {
          cluster->create(resources::k_config_maps, "berth-no-such-namespace", config_map("c"), {});
        }).fault() == support::Fault::operator_);
}

TEST_CASE("a certificate of a stranger and a wrong token are refused in words") {
  ClusterUnderTest cluster;
  Connection stranger = cluster->connection();
  stranger.credentials = make_fixed_credentials(
      {.token = support::Secret("wrong"), .certificate_pem = {}, .key_pem = {}});
  Client unknown(stranger);
  CHECK(refused([&] { unknown.get_path("/api/v1/nodes", {}); }).unauthorized());

  Connection untrusted = cluster->connection();
  untrusted.tls.ca_pem.clear();
  Client suspicious(untrusted);
  try {
    suspicious.get_path("/version", {});
    FAIL("trusted");
  } catch (const ApiUnreachable& error) {
    CHECK_THAT(error.what(), ContainsSubstring("is not trusted"));
    CHECK(error.fault() == support::Fault::operator_);
  }
  untrusted.tls.verify = false;
  CHECK(Client(untrusted).get_path("/version", {}).contains("major"));
  Connection other_name = cluster->connection();
  other_name.tls.server_name = "kubernetes.default.svc";
  CHECK(Client(other_name).get_path("/version", {}).contains("major"));
}

TEST_CASE("a pod's life is followed with one create and one watch") {
  ClusterUnderTest cluster;
  const std::string& ns = cluster.name_space();
  const json running = cluster.run(cluster.pod("p", {"sh", "-c", "echo one; echo two; sleep 600"}));
  CHECK(running["status"]["phase"] == "Running");
  std::string calls;
  for (const net::HttpCall& call : cluster.calls()) calls += call.method + " " + call.path + "\n";
  CHECK(cluster.calls().size() == 2);
  INFO(calls);

  Watcher watcher(*cluster, {.resource = resources::k_pods,
                             .name_space = ns,
                             .name = "p",
                             .selectors = {},
                             .resource_version = running["metadata"]["resourceVersion"]});
  CHECK(cluster->remove(resources::k_pods, ns, "p", {.grace_seconds = 0}, {}) == Deletion::started);
  while (true) {
    const auto event = watcher.next(soon(), {});
    REQUIRE(event.has_value());
    if (event->kind == WatchEvent::Kind::deleted) break;
  }
  CHECK_FALSE(cluster->find(resources::k_pods, ns, "p", {}).has_value());
}

TEST_CASE("the end of a log, and the events of a pod that cannot start") {
  ClusterUnderTest cluster;
  const std::string& ns = cluster.name_space();
  cluster.run(cluster.pod("p", {"sh", "-c", "echo one; echo two; echo three; sleep 600"}));
  std::string log;
  // The container runs before its first line is in the log.
  while (log.find("three") == std::string::npos)
    log = cluster->logs(ns, "p", {.container = "build", .tail_lines = 2}, {});
  CHECK(log == "two\nthree\n");
  CHECK(cluster->logs(ns, "p", {.container = "build", .tail_lines = 5, .max_bytes = 4}, {}) ==
        "ree\n");
  CHECK(refused([&] { cluster->logs(ns, "p", {.container = "none"}, {}); }).code() == 400);

  json lost = cluster.pod("lost", {"true"});
  lost["spec"]["containers"][0]["image"] = "berth-no-such-registry.invalid/x:1";
  const json made = cluster.create(lost);
  bool seen = false;
  watch(*cluster,
        {.resource = resources::k_events,
         .name_space = ns,
         .name = {},
         .selectors = {.field = "involvedObject.name=lost", .label = {}},
         .resource_version = {}},
        [&](const WatchEvent& event) {
          seen = event.object.value("reason", "") == "Failed";
          return !seen;
        },
        soon(), {});
  CHECK(seen);
}

TEST_CASE("a version that is too old is followed all the same") {
  ClusterUnderTest cluster;
  const std::string& ns = cluster.name_space();
  cluster->create(resources::k_config_maps, ns, config_map("c"), {});
  // Version 1 is older than anything a server keeps for watches.
  std::vector<std::string> names;
  watch(*cluster,
        {.resource = resources::k_config_maps,
         .name_space = ns,
         .name = "c",
         .selectors = {},
         .resource_version = "1"},
        [&](const WatchEvent& event) {
          names.push_back(event.object["metadata"]["name"]);
          return false;
        },
        soon(), {});
  CHECK(names == std::vector<std::string>{"c"});
}
