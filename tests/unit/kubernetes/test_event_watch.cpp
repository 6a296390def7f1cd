#include "executor/kubernetes/event_watch.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <condition_variable>
#include <mutex>

using namespace berth;
using kubernetes::EventWatch;
using nlohmann::json;
using tests::Cluster;
using tests::ServerReply;

namespace {

constexpr const char* k_events_path = "/api/v1/namespaces/ci/events";

std::string line(const char* type, const char* name, const char* reason, const char* container) {
  const std::string path =
      *container == '\0' ? "" : std::string("spec.containers{") + container + "}";
  return json{{"type", type},
              {"object",
               {{"metadata",
                 {{"name", name}, {"namespace", "ci"}, {"uid", name}, {"resourceVersion", "5"}}},
                {"reason", reason},
                {"involvedObject", {{"fieldPath", path}}}}}}
             .dump() +
         "\n";
}

/// What is told, and a wait for as much of it.
struct Started {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> names;

  void operator()(std::string_view name) {
    const std::lock_guard lock(mutex);
    names.emplace_back(name);
    changed.notify_all();
  }
  bool await(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_until(lock, tests::soon(), [&] { return names.size() >= count; });
  }
};

}  // namespace

TEST_CASE("events tell of each container's start, and stand in the order they last happened") {
  Cluster cluster;
  // The connection stays: nothing is told twice.
  const std::string body =
      line("ADDED", "a", "Pulling", "build") + line("ADDED", "b", "Started", "build") +
      line("ADDED", "c", "Started", "") + line("MODIFIED", "a", "Pulled", "build") +
      line("DELETED", "b", "Started", "build") + line("ADDED", "d", "Started", "helper");
  cluster.server.on("GET", k_events_path,
                    {ServerReply{.status = 200,
                                 .headers = {{"Connection", "close"}},
                                 .upgrade = [body](tests::ServerPeer& peer) {
                                   peer.write(body);
                                   peer.read();
                                 }}});
  Started started;
  EventWatch events(cluster.client, "ci", "u1", std::ref(started));
  REQUIRE(started.await(2));
  CHECK(started.names == std::vector<std::string>{"build", "helper"});
  std::vector<std::string> reasons;
  for (const auto& event : events.so_far()) reasons.push_back(event.reason);
  REQUIRE(reasons.size() >= 3);  // the last may be told before it is kept
  CHECK(reasons[0] == "Started");
  CHECK(reasons[1] == "Started");
  CHECK(reasons[2] == "Pulled");
  const std::string target = cluster.server.requests().front().target;
  CHECK(target.find("involvedObject.uid%3Du1") != std::string::npos);
  CHECK(target.find("watch=true") != std::string::npos);
}

TEST_CASE("a right to events that is missing only ends their watch") {
  Cluster cluster;
  cluster.server.on("GET", k_events_path,
                    {tests::refusal(403, "Forbidden", "events is forbidden")});
  EventWatch events(cluster.client, "ci", "u1", [](std::string_view) {});
  CHECK(events.so_far().empty());
}
