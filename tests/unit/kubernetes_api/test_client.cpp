#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <atomic>
#include <thread>

using namespace berth;
using namespace berth::kubernetes;
using nlohmann::json;
using tests::Cluster;
using tests::k_pod_path;
using tests::k_pods_path;
using tests::pod_json;
using tests::refusal;
using tests::ServerFault;
using tests::ServerReply;
using tests::ServerRequest;

namespace {

ServerReply pod(const std::string& name = "p") {
  return {.body = pod_json(name, "7").dump()};
}

json get_pod(Cluster& cluster) {
  return cluster.client.get(resources::k_pods, "ci", "p", {});
}

}  // namespace

TEST_CASE("An object is asked for with the credentials, on one connection") {
  Cluster cluster;
  cluster.server.on("GET", k_pod_path, {pod()});
  for (int i = 0; i < 3; ++i) CHECK(get_pod(cluster)["metadata"]["name"] == "p");
  const ServerRequest request = cluster.server.requests().front();
  CHECK(request.header("Authorization") == "Bearer token-1");
  CHECK_THAT(request.header("User-Agent"), StartsWith("berth/"));
  CHECK(cluster.server.connections() == 1);
  CHECK(cluster.troubles.empty());
}

TEST_CASE("What the server says is kept, with the object's name") {
  Cluster cluster;
  cluster.server.on("GET", k_pod_path, {refusal(404, "NotFound", "pods \"p\" not found")});
  const ApiError error = cluster.refused([&] { get_pod(cluster); });
  CHECK(error.not_found());
  CHECK(error.reason() == "NotFound");
  CHECK(error.what() == "kubernetes at " + cluster.client.connection().host() +
                            ": get pod 'ci/p': pods \"p\" not found");
  CHECK(cluster.server.requests().size() == 1);
  CHECK_FALSE(cluster.client.find(resources::k_pods, "ci", "p", {}).has_value());
}

TEST_CASE("Of a large object the uid alone is asked for") {
  Cluster cluster;
  cluster.server.on("GET", k_pod_path, {pod(), refusal(404, "NotFound", "pods \"p\" not found")});
  CHECK(cluster.client.find_uid(resources::k_pods, "ci", "p", {}) == "u1");
  CHECK(cluster.client.find_uid(resources::k_pods, "ci", "p", {}) == std::nullopt);
  CHECK(cluster.server.requests().front().header("Accept") ==
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
}

TEST_CASE("Server-side apply names its manager, and takes fields over where it is told to") {
  Cluster cluster;
  cluster.server.on("PATCH", k_pod_path, {pod()});
  cluster.client.patch(resources::k_pods, "ci", "p", {{"kind", "Pod"}},
                       {.type = PatchType::apply, .field_manager = "berth", .force = true}, {});
  cluster.client.patch(resources::k_pods, "ci", "p", {{"a", 1}}, {.field_manager = "berth"}, {});
  cluster.client.patch(resources::k_pods, "ci", "p", {{"a", 1}}, {}, {});
  const auto requests = cluster.server.requests();
  CHECK(requests[0].target == std::string(k_pod_path) + "?fieldManager=berth&force=true");
  CHECK(requests[0].header("Content-Type") == "application/apply-patch+yaml");
  CHECK(requests[1].target == std::string(k_pod_path) + "?fieldManager=berth");
  CHECK(requests[2].target == k_pod_path);
}

TEST_CASE("A server that is away for a while is waited for, and that is said once") {
  const auto fault =
      GENERATE(ServerFault::drop, ServerFault::reset, ServerFault::truncate, ServerFault::none);
  Cluster cluster;
  ServerReply bad{.status = fault == ServerFault::none ? 503 : 200,
                  .body = pod_json("p", "7").dump(),
                  .fault = fault};
  cluster.server.on("GET", k_pod_path, {bad, bad, bad, bad, pod()});
  CHECK(get_pod(cluster)["metadata"]["name"] == "p");
  CHECK(cluster.server.count("GET", k_pod_path) == 5);
  REQUIRE(cluster.troubles.size() == 1);
  CHECK_THAT(cluster.troubles[0],
             ContainsSubstring("get pod 'ci/p'") && ContainsSubstring("; trying for 20s"));
}

TEST_CASE("A server nobody listens at is given up after the patience") {
  kubernetes::ClientOptions options = tests::quick_options();
  options.patience = std::chrono::milliseconds(30);
  Connection connection;
  connection.base_url = "http://127.0.0.1:1";
  connection.source = "context 'c' of /k";
  Client client(connection, options);
  try {
    client.get(resources::k_pods, "ci", "p", {});
    FAIL("answered");
  } catch (const ApiUnreachable& error) {
    CHECK_THAT(error.what(),
               StartsWith("kubernetes at 127.0.0.1:1: get pod 'ci/p': cannot connect: "));
    CHECK_THAT(error.hint(), ContainsSubstring("context 'c' of /k"));
    CHECK(error.fault() == support::Fault::infrastructure);
  }
}

TEST_CASE("429 is asked again when the server says so, not before") {
  Cluster cluster;
  ServerReply busy = refusal(429, "TooManyRequests", "slow down");
  busy.headers = {{"Retry-After", "0"}};
  cluster.server.on("POST", k_pods_path, {busy, pod()});
  cluster.client.create(resources::k_pods, "ci", pod_json("p", ""), {});
  CHECK(cluster.server.count("POST", k_pods_path) == 2);

  SECTION("and longer than the patience is not waited") {
    busy.headers = {{"Retry-After", "3000"}};
    cluster.server.on("GET", k_pod_path, {busy});
    const ApiError error = cluster.refused([&] { get_pod(cluster); });
    CHECK(error.code() == 429);
    CHECK(error.status().retry_after == std::chrono::seconds(3000));
    CHECK(cluster.server.count("GET", k_pod_path) == 1);
  }
}

TEST_CASE("An inner error is repeated for a shorter time") {
  Cluster cluster;
  cluster.server.on("GET", k_pod_path,
                    {refusal(500, "InternalError", "failed calling webhook \"x\""), pod()});
  get_pod(cluster);
  cluster.server.on("GET", k_pod_path,
                    {refusal(500, "InternalError", "failed calling webhook \"x\"")});
  const ApiError error = cluster.refused([&] { get_pod(cluster); });
  CHECK(error.code() == 500);
  CHECK(cluster.server.count("GET", k_pod_path) > 5);
}

TEST_CASE("What is final is asked once") {
  const int code = GENERATE(400, 403, 405, 409, 410, 415, 422);
  Cluster cluster;
  cluster.server.on("GET", k_pod_path, {refusal(code, "X", "no")});
  CHECK(cluster.refused([&] { get_pod(cluster); }).code() == code);
  CHECK(cluster.server.count("GET", k_pod_path) == 1);
}

TEST_CASE("A create whose reply was lost finds its own object, and no other") {
  Cluster cluster;
  const auto fault = GENERATE(ServerFault::drop, ServerFault::reset);
  cluster.server.on("POST", k_pods_path,
                    {{.body = pod_json("p", "7").dump(), .fault = fault},
                     refusal(409, "AlreadyExists", "pods \"p\" already exists")});
  cluster.server.on("GET", k_pod_path, {pod()});
  CHECK(cluster.client.create(resources::k_pods, "ci", pod_json("p", ""), {})["metadata"]["uid"] ==
        "u1");

  json other = pod_json("p", "");
  other["metadata"]["labels"]["berth.attempt"] = "another";
  SECTION("labels differ") {}
  SECTION("no labels") {
    other["metadata"].erase("labels");
  }
  cluster.server.on(
      "POST", k_pods_path,
      {{.body = "{}", .fault = fault}, refusal(409, "AlreadyExists", "pods \"p\" already exists")});
  const ApiError error =
      cluster.refused([&] { cluster.client.create(resources::k_pods, "ci", other, {}); });
  CHECK(error.already_exists());
  CHECK(error.repeated());
  CHECK_FALSE(error.conflict());
}

TEST_CASE("An object that was there before is not taken for ours") {
  Cluster cluster;
  cluster.server.on("POST", k_pods_path,
                    {refusal(409, "AlreadyExists", "pods \"p\" already exists")});
  cluster.server.on("GET", k_pod_path, {pod()});
  const ApiError error = cluster.refused(
      [&] { cluster.client.create(resources::k_pods, "ci", pod_json("p", ""), {}); });
  CHECK(error.already_exists());
  CHECK_FALSE(error.repeated());
}

TEST_CASE("A create without a name is not made twice") {
  Cluster cluster;
  cluster.server.on("POST", k_pods_path, {{.fault = ServerFault::drop}, pod()});
  json object = pod_json("", "");
  object["metadata"] = {{"generateName", "p-"}};
  CHECK_THROWS_AS(cluster.client.create(resources::k_pods, "ci", object, {}), ApiUnreachable);
  CHECK(cluster.server.count("POST", k_pods_path) == 1);
}

TEST_CASE("Two creates that met in one quota do not fail") {
  Cluster cluster;
  cluster.server.on(
      "POST", k_pods_path,
      {refusal(409, "Conflict",
               "Operation cannot be fulfilled on resourcequotas \"q\": the object has "
               "been modified"),
       pod()});
  cluster.client.create(resources::k_pods, "ci", pod_json("p", ""), {});
  CHECK(cluster.server.requests().front().target ==
        std::string(k_pods_path) + "?fieldValidation=Strict");
}

TEST_CASE("A patch says its kind, and is repeated after a conflict only where asked") {
  Cluster cluster;
  const json change = {{"spec", nullptr}};
  cluster.server.on("PATCH", k_pod_path,
                    {refusal(409, "Conflict", "modified"), pod(), pod(), pod(),
                     refusal(409, "Conflict", "modified")});
  cluster.client.patch(resources::k_pods, "ci", "p", change, {.retry_conflict = true}, {});
  cluster.client.patch(resources::k_pods, "ci", "p", change, {.type = PatchType::json}, {});
  cluster.client.patch(resources::k_pods, "ci", "p", change, {.type = PatchType::strategic}, {});
  CHECK(cluster.refused([&] { cluster.client.patch(resources::k_pods, "ci", "p", change, {}, {}); })
            .conflict());
  std::vector<std::string> types;
  for (const ServerRequest& request : cluster.server.requests())
    types.push_back(request.header("Content-Type"));
  CHECK(types == std::vector<std::string>{
                     "application/merge-patch+json", "application/merge-patch+json",
                     "application/json-patch+json", "application/strategic-merge-patch+json",
                     "application/merge-patch+json"});
}

TEST_CASE("A delete says what it must, and what is gone is gone") {
  Cluster cluster;
  cluster.server.on("DELETE", k_pod_path,
                    {pod(),
                     refusal(404, "NotFound", "no"),
                     {.fault = ServerFault::drop},
                     refusal(404, "NotFound", "no")});
  const auto remove = [&] {
    return cluster.client.remove(resources::k_pods, "ci", "p",
                                 {.grace_seconds = 0, .uid = "u1", .propagation = "Background"},
                                 {});
  };
  CHECK(remove() == Deletion::started);
  CHECK(json::parse(cluster.server.requests().front().body) ==
        json::parse(R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,
                        "preconditions":{"uid":"u1"},"propagationPolicy":"Background"})"));
  CHECK(remove() == Deletion::absent);
  CHECK(remove() == Deletion::started);
}

TEST_CASE("A list has all pages, and starts again when a page is too old") {
  Cluster cluster;
  std::atomic<bool> expire = false;
  cluster.server.on("GET", k_pods_path, [&](const ServerRequest& request) -> ServerReply {
    const bool paged = request.target.find("limit=500") != std::string::npos;
    const bool second = request.target.find("continue=next%2F1") != std::string::npos;
    if (second && expire) return refusal(410, "Expired", "too old");
    json list = {{"kind", "PodList"}, {"metadata", {{"resourceVersion", "9"}}}};
    if (!second) list["items"].push_back(pod_json("a", "1"));
    if (second || !paged) list["items"].push_back(pod_json("b", "2"));
    if (paged && !second) list["metadata"]["continue"] = "next/1";
    return {.body = list.dump()};
  });
  const auto names = [&] {
    const json list =
        cluster.client.list(resources::k_pods, "ci", {.field = "", .label = "a=b"}, {});
    std::string text;
    for (const json& item : list["items"]) text += item["metadata"]["name"].get<std::string>();
    return text;
  };
  CHECK(names() == "ab");
  CHECK_THAT(cluster.server.requests().front().target, ContainsSubstring("labelSelector=a%3Db"));
  expire = true;
  CHECK(names() == "ab");
  CHECK(cluster.server.requests().size() == 5);
}

TEST_CASE("An empty list has items all the same") {
  Cluster cluster;
  cluster.server.on("GET", "/api/v1/nodes", {{.body = R"({"items":null})"}});
  CHECK(cluster.client.list(resources::k_nodes, "", {}, {})["items"].empty());
}

namespace {

/// Gives token-1, token-2, ... with each renewal.
class Tokens final : public CredentialSource {
 public:
  Proof current(std::stop_token) override {
    return {.token = support::Secret("token-" + std::to_string(number.load())),
            .certificate_pem = {},
            .key_pem = {}};
  }
  bool renew() override {
    ++number;
    return true;
  }
  std::atomic<int> number = 1;
};

}  // namespace

TEST_CASE("Credentials that have expired are renewed once for each call") {
  tests::HttpServer server;
  server.on("GET", k_pod_path, [](const ServerRequest& request) {
    return request.header("Authorization") == "Bearer token-2"
               ? pod()
               : refusal(401, "Unauthorized", "Unauthorized");
  });
  Connection connection = tests::connection_to(server);
  connection.credentials = std::make_shared<Tokens>();
  Client client(connection, tests::quick_options());
  client.get(resources::k_pods, "ci", "p", {});
  CHECK(server.requests().size() == 2);
  client.get(resources::k_pods, "ci", "p", {});
  CHECK(server.requests().size() == 3);

  server.on("GET", k_pod_path, {refusal(401, "Unauthorized", "Unauthorized")});
  CHECK_THROWS_AS(client.get(resources::k_pods, "ci", "p", {}), ApiError);
  CHECK(server.requests().size() == 5);
}

TEST_CASE("Credentials that cannot be renewed are refused with their source") {
  Cluster cluster;
  cluster.server.on("GET", k_pod_path, {refusal(401, "Unauthorized", "Unauthorized")});
  const ApiError error = cluster.refused([&] { get_pod(cluster); });
  CHECK(error.unauthorized());
  CHECK(error.fault() == support::Fault::operator_);
  CHECK_THAT(error.hint(), ContainsSubstring("the test"));
  CHECK(cluster.server.requests().size() == 1);
}

TEST_CASE("A stop ends a call, a wait and a watchless silence at once") {
  Cluster cluster;
  cluster.server.on("GET", k_pod_path, {{.fault = ServerFault::hang}});
  ServerReply busy = refusal(429, "TooManyRequests", "slow down");
  busy.headers = {{"Retry-After", "15"}};
  cluster.server.on("DELETE", k_pod_path, {busy});
  std::stop_source source;
  std::jthread stopper([&] {
    static_cast<void>(cluster.server.wait_for("GET", k_pod_path, 1));
    source.request_stop();
  });
  CHECK_THROWS_AS(cluster.client.get(resources::k_pods, "ci", "p", source.get_token()),
                  support::Cancelled);
  std::stop_source other;
  std::jthread second([&] {
    static_cast<void>(cluster.server.wait_for("DELETE", k_pod_path, 1));
    other.request_stop();
  });
  CHECK_THROWS_AS(cluster.client.remove(resources::k_pods, "ci", "p", {}, other.get_token()),
                  support::Cancelled);
}

TEST_CASE("Logs, rights, plain paths and a path prefix") {
  Cluster cluster;
  cluster.server.on("GET", "/api/v1/namespaces/ci/pods/p/log", {{.body = "0123456789"}});
  CHECK(cluster.client.logs("ci", "p", {.container = "b", .tail_lines = 5, .max_bytes = 4}, {}) ==
        "6789");
  CHECK_THAT(cluster.server.requests().back().target,
             ContainsSubstring("?container=b&tailLines=5&limitBytes="));

  const std::string review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  cluster.server.on(
      "POST", review,
      {{.status = 201, .body = R"({"status":{"allowed":false,"reason":"no rule"}})"}});
  const AccessAnswer answer = cluster.client.may(
      {.name_space = "ci", .verb = "create", .resource = resources::k_pods, .subresource = "exec"},
      {});
  CHECK_FALSE(answer.allowed);
  CHECK(answer.reason == "no rule");
  CHECK(json::parse(cluster.server.requests().back().body)["spec"]["resourceAttributes"] ==
        json::parse(R"({"verb":"create","group":"","version":"v1","resource":"pods",
                        "namespace":"ci","subresource":"exec"})"));

  Connection connection = tests::connection_to(cluster.server);
  connection.path_prefix = "/k8s/c-1";
  connection.headers = {{"Impersonate-User", "bob"}};
  cluster.server.on("GET", "/k8s/c-1/version", {{.body = R"({"major":"1"})"}});
  Client client(connection, tests::quick_options());
  CHECK(client.get_path("/version", {})["major"] == "1");
  CHECK(cluster.server.requests().back().header("Impersonate-User") == "bob");
}

TEST_CASE("Every call is told of, without its query") {
  std::vector<net::HttpCall> calls;
  kubernetes::ClientOptions options = tests::quick_options();
  options.on_call = [&](const net::HttpCall& call) { calls.push_back(call); };
  Cluster cluster(options);
  cluster.server.on("POST", k_pods_path, {{.status = 201, .body = pod_json("p", "1").dump()}});
  cluster.client.create(resources::k_pods, "ci", pod_json("p", ""), {});
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].method == "POST");
  CHECK(calls[0].path == k_pods_path);
  CHECK(calls[0].status == 201);
}
