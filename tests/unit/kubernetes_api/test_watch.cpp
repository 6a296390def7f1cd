#include "executor/kubernetes/api/watch.hpp"
#include "executor/kubernetes/api/watch_stream.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <thread>
#include <utility>

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
using tests::soon;

namespace {

std::string line(const std::string& type, const json& object) {
  return json{{"type", type}, {"object", object}}.dump() + "\n";
}

std::string parameter(const ServerRequest& request, const std::string& key) {
  const std::size_t at = request.target.find(key + "=");
  if (at == std::string::npos) return "none";
  const std::size_t start = at + key.size() + 1;
  return request.target.substr(start, request.target.find('&', start) - start);
}

/// Whole lines, then the end as a server's timeout makes it.
ServerReply ends(const std::string& body) {
  return {.body = body, .chunk = 10};
}
ServerReply cut(const std::string& body) {
  return {.body = body, .fault = ServerFault::truncate, .chunk = 10};
}
/// Nothing more comes, and the connection stays.
ServerReply stays(const std::string& body) {
  return {.status = 200,
          .headers = {{"Connection", "close"}},
          .upgrade = [body](tests::ServerPeer& peer) {
            peer.write(body);
            peer.read();
          }};
}
ServerReply of(const std::string& body) {
  return {.body = body};
}

/// What was told: "added p@5 u1".
struct Told {
  std::vector<std::string> events;
  std::size_t enough = 100;

  bool operator()(const WatchEvent& event) {
    const char* kinds[] = {"added", "modified", "deleted"};
    const json& metadata = event.object["metadata"];
    events.push_back(std::string(kinds[static_cast<int>(event.kind)]) + " " +
                     metadata["name"].get<std::string>() + "@" +
                     metadata.value("resourceVersion", "?") + " " + metadata.value("uid", "?"));
    return events.size() < enough;
  }
};

WatchEnd follow(Cluster& cluster, const WatchQuery& query, Told& told,
                std::chrono::steady_clock::time_point deadline = soon()) {
  return watch(cluster.client, query, std::ref(told), deadline, {});
}

const WatchQuery k_one{.resource = resources::k_pods,
                       .name_space = "ci",
                       .name = "p",
                       .selectors = {},
                       .resource_version = "4"};
const WatchQuery k_all{.resource = resources::k_pods,
                       .name_space = "ci",
                       .name = {},
                       .selectors = {.field = {}, .label = "a=b"},
                       .resource_version = {}};

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("A watch goes on where it was cut, bookmarks counted") {
  Cluster cluster;
  const std::string first = line("MODIFIED", pod_json("p", "5")) +
                            line("BOOKMARK", {{"metadata", {{"resourceVersion", "9"}}}});
  cluster.server.on("GET", k_pods_path,
                    {GENERATE_COPY(ends(first), cut(first), cut(first + R"({"type":"MODIF)")),
                     ends(line("MODIFIED", pod_json("p", "10")))});
  Told told{.events = {}, .enough = 2};
  CHECK(follow(cluster, k_one, told) == WatchEnd::enough);
  CHECK(told.events == Events{"modified p@5 u1", "modified p@10 u1"});
  const auto requests = cluster.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(parameter(requests[0], "resourceVersion") == "4");
  CHECK(parameter(requests[0], "fieldSelector") == "metadata.name%3Dp");
  CHECK(parameter(requests[0], "allowWatchBookmarks") == "true");
  CHECK(parameter(requests[1], "resourceVersion") == "9");
}

TEST_CASE("Cut at every byte, a watch tells each event once and in order") {
  const std::vector<json> events{pod_json("p", "5"), pod_json("p", "6"), pod_json("p", "7")};
  std::string whole;
  for (const json& event : events) whole += line("MODIFIED", event);
  for (std::size_t at = 0; at <= whole.size(); ++at) {
    CAPTURE(at);
    Cluster cluster;
    bool again = false;
    cluster.server.on("GET", k_pods_path, [&](const ServerRequest& request) {
      std::string body;
      for (const json& event : events)
        if (event["metadata"]["resourceVersion"].get<std::string>() >
            parameter(request, "resourceVersion"))
          body += line("MODIFIED", event);
      return std::exchange(again, true) ? ends(body) : cut(body.substr(0, at));
    });
    Told told{.events = {}, .enough = 3};
    CHECK(follow(cluster, k_one, told) == WatchEnd::enough);
    CHECK(told.events == Events{"modified p@5 u1", "modified p@6 u1", "modified p@7 u1"});
  }
}

TEST_CASE("Without a version the present state comes first") {
  Cluster cluster;
  WatchQuery query = k_one;
  query.resource_version.clear();
  SECTION("of one object, with the rights to get and watch") {
    cluster.server.on("GET", k_pod_path, {of(pod_json("p", "6").dump())});
    cluster.server.on("GET", k_pods_path, {ends(line("DELETED", pod_json("p", "8")))});
    Told told{.events = {}, .enough = 2};
    follow(cluster, query, told);
    CHECK(told.events == Events{"added p@6 u1", "deleted p@8 u1"});
    CHECK(parameter(cluster.server.requests().back(), "resourceVersion") == "6");
  }
  SECTION("of one object, told by the watch itself") {
    query.read_first = false;
    // Cut before it has said anything, and after.
    cluster.server.on("GET", k_pods_path,
                      {cut(""), cut(line("ADDED", pod_json("p", "6"))),
                       ends(line("DELETED", pod_json("p", "8")))});
    Told told{.events = {}, .enough = 2};
    follow(cluster, query, told);
    CHECK(told.events == Events{"added p@6 u1", "deleted p@8 u1"});
    const auto requests = cluster.server.requests();
    REQUIRE(requests.size() == 3);
    CHECK(parameter(requests[0], "resourceVersion") == "none");
    CHECK(parameter(requests[1], "resourceVersion") == "none");
    CHECK(parameter(requests[2], "resourceVersion") == "6");
  }
  SECTION("of one that is not there yet") {
    cluster.server.on("GET", k_pod_path, {refusal(404, "NotFound", "no")});
    cluster.server.on("GET", k_pods_path, {ends(line("ADDED", pod_json("p", "8")))});
    Told told{.events = {}, .enough = 1};
    follow(cluster, query, told);
    CHECK(told.events == Events{"added p@8 u1"});
  }
  SECTION("of many") {
    json list = {{"metadata", {{"resourceVersion", "20"}}},
                 {"items", {pod_json("a", "1", "ua"), pod_json("b", "2", "ub")}}};
    cluster.server.on("GET", k_pods_path, [&](const ServerRequest& request) {
      if (parameter(request, "watch") == "none") return of(list.dump());
      return ends(line("MODIFIED", pod_json("b", "21", "ub")));
    });
    Told told{.events = {}, .enough = 3};
    follow(cluster, k_all, told);
    CHECK(told.events == Events{"added a@1 ua", "added b@2 ub", "modified b@21 ub"});
    const auto requests = cluster.server.requests();
    CHECK(parameter(requests.back(), "resourceVersion") == "20");
    CHECK(parameter(requests.back(), "labelSelector") == "a%3Db");
  }
}

TEST_CASE("When its version is too old, what has changed meanwhile is told") {
  Cluster cluster;
  const std::string expired =
      line("ERROR", json::parse(tests::status_json(410, "Expired", "too old resource version")));
  const ServerReply gone =
      GENERATE_COPY(refusal(410, "Expired", "too old resource version"), ends(expired));
  const json before = {
      {"metadata", {{"resourceVersion", "20"}}},
      {"items", {pod_json("a", "1", "ua"), pod_json("b", "2", "ub"), pod_json("c", "3", "uc")}}};
  const json after = {
      {"metadata", {{"resourceVersion", "90"}}},
      {"items",
       {pod_json("a", "81", "ua"), pod_json("b", "82", "other"), pod_json("d", "84", "ud")}}};
  int lists = 0;
  cluster.server.on("GET", k_pods_path, [&](const ServerRequest& request) {
    if (parameter(request, "watch") == "none") return of((lists++ == 0 ? before : after).dump());
    return parameter(request, "resourceVersion") == "20"
               ? gone
               : ends(line("MODIFIED", pod_json("d", "91", "ud")));
  });
  Told told{.events = {}, .enough = 11};
  WatchQuery query = k_all;
  query.on_state = [&] { told.events.emplace_back("whole"); };
  follow(cluster, query, told);
  CHECK(told.events == Events{"added a@1 ua", "added b@2 ub", "added c@3 uc", "whole",
                              "deleted b@? ub", "deleted c@? uc", "modified a@81 ua",
                              "added b@82 other", "added d@84 ud", "whole", "modified d@91 ud"});
}

TEST_CASE("One object that went while nobody looked is told as deleted, once") {
  Cluster cluster;
  cluster.server.on("GET", k_pods_path,
                    {refusal(410, "Gone", "too old"), refusal(410, "Gone", "too old"),
                     ends(line("ADDED", pod_json("p", "99", "u2")))});
  cluster.server.on("GET", k_pod_path, {refusal(404, "NotFound", "no")});
  Told told{.events = {}, .enough = 2};
  follow(cluster, k_one, told);
  CHECK(told.events == Events{"deleted p@? ", "added p@99 u2"});
}

TEST_CASE("An idle watch is one request, and ends at its deadline or a stop") {
  Cluster cluster;
  cluster.server.on("GET", k_pods_path, {stays("")});
  Told told;
  CHECK(follow(cluster, k_one, told, std::chrono::steady_clock::now() + std::chrono::seconds(2)) ==
        WatchEnd::deadline);
  CHECK(cluster.server.requests().size() == 1);
  const int seconds = std::stoi(parameter(cluster.server.requests()[0], "timeoutSeconds"));
  CHECK((seconds == 1 || seconds == 2));

  std::stop_source source;
  const std::jthread stopper([&] {
    static_cast<void>(cluster.server.wait_for("GET", k_pods_path, 2));
    source.request_stop();
  });
  CHECK_THROWS_AS(watch(cluster.client, k_one, std::ref(told),
                        std::chrono::steady_clock::time_point::max(), source.get_token()),
                  support::Cancelled);
  CHECK(std::stoi(parameter(cluster.server.requests()[1], "timeoutSeconds")) >= 300);
  CHECK(told.events.empty());
}

TEST_CASE("A watch rides out an outage, and ends when it lasts too long") {
  kubernetes::ClientOptions options = tests::quick_options();
  options.patience = std::chrono::milliseconds(1500);
  Cluster cluster(options);
  const ServerReply bad =
      GENERATE(ServerReply{.fault = ServerFault::drop}, refusal(503, "", "x"), ends(""));
  cluster.server.on("GET", k_pods_path,
                    {bad, bad, ends(line("MODIFIED", pod_json("p", "5"))), bad});
  Told told;
  CHECK_THROWS_AS(follow(cluster, k_one, told), support::Error);
  CHECK(told.events == Events{"modified p@5 u1"});
  CHECK_FALSE(cluster.troubles.empty());
}

TEST_CASE("What is final, or no watch, ends it in words") {
  Cluster cluster;
  Told told;
  cluster.server.on("GET", k_pods_path, {refusal(403, "Forbidden", "User \"x\" cannot watch")});
  const ApiError error = cluster.refused([&] { follow(cluster, k_one, told); });
  CHECK(error.is_rbac());
  CHECK_THAT(error.what(), ContainsSubstring("watch pod 'ci/p'"));
  cluster.server.on("GET", k_pods_path, {ends("<html>\n")});
  CHECK_THROWS_WITH(follow(cluster, k_one, told), ContainsSubstring("is no watch event"));
}

TEST_CASE("What the receiver throws passes through") {
  Cluster cluster;
  cluster.server.on("GET", k_pods_path, {ends(line("MODIFIED", pod_json("p", "5")))});
  CHECK_THROWS_AS(
      watch(cluster.client, k_one, [](const WatchEvent&) -> bool { throw std::out_of_range("x"); },
            soon(), {}),
      std::out_of_range);
}

TEST_CASE("A watcher gives events when asked, and ends when it is no longer wanted") {
  Cluster cluster;
  cluster.server.on(
      "GET", k_pods_path,
      {ends(line("MODIFIED", pod_json("p", "5")) + line("DELETED", pod_json("p", "6"))),
       stays("")});
  Watcher watcher(cluster.client, k_one);
  const auto first = watcher.next(soon(), {});
  REQUIRE(first.has_value());
  CHECK(first->kind == WatchEvent::Kind::modified);
  CHECK((*first->object)["metadata"]["resourceVersion"] == "5");
  CHECK(watcher.next(soon(), {})->kind == WatchEvent::Kind::deleted);
  CHECK_FALSE(watcher.next(std::chrono::steady_clock::now(), {}).has_value());
  std::stop_source stopped;
  stopped.request_stop();
  CHECK_THROWS_AS(watcher.next(soon(), stopped.get_token()), support::Cancelled);
}

TEST_CASE("A watcher throws what ended its watch") {
  Cluster cluster;
  cluster.server.on("GET", k_pods_path, {refusal(403, "Forbidden", "no")});
  Watcher watcher(cluster.client, k_one);
  CHECK_THROWS_AS(watcher.next(soon(), {}), ApiError);
}

TEST_CASE("Lines come out whole however they arrive") {
  const std::string text = "one\n\n \r\ntwo\nthree";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    LineSplitter lines;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < text.size(); at += size)
      lines.feed(std::string_view(text).substr(at, size), [&](std::string_view piece) {
        got.emplace_back(piece);
        return true;
      });
    CHECK(got == std::vector<std::string>{"one", "two"});
    CHECK(lines.pending() == 5);
  }
}
