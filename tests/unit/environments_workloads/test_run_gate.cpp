#include "executor/environments/workloads/run_gate.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/fake_namespace.hpp"

#include <functional>
#include <future>
#include <utility>

/// The gate before all of a namespace's lists have come.
using namespace berth;
using namespace berth::environments::workloads;
using nlohmann::json;
using tests::list_path;
using tests::refusal;
using tests::serve;
using tests::ServerReply;
using tests::ServerRequest;
using tests::stays;

namespace {

/// Calls back at each line: the gate's own thread has come that far.
class Told final : public support::Console {
 public:
  explicit Told(std::function<void(std::string_view)> on_line) : m_on_line(std::move(on_line)) {}
  void line(std::string_view text) override { m_on_line(text); }
  void warning(std::string_view) override {}

 private:
  std::function<void(std::string_view)> m_on_line;
};

/// A namespace whose pods are listed only after the gate has taken in the lists of `first`:
/// events are refused once those are watched, and the gate says that it may not see them.
struct LatePods {
  LatePods(std::vector<std::string> first, const json& late) : m_first(std::move(first)) {
    cluster.server.on("GET", list_path("events"), [this](const ServerRequest&) {
      // The list, then the watch: by then what is listed has been told.
      for (const std::string& plural : m_first)
        cluster.server.wait_for("GET", list_path(plural), 2);
      return refusal(403, "Forbidden", "no events");
    });
    const std::string body =
        json{{"metadata", {{"resourceVersion", "9"}}}, {"items", json::array({late})}}.dump();
    cluster.server.on("GET", list_path("pods"), [this, body](const ServerRequest& request) {
      if (request.target.find("watch=") != std::string::npos) return stays();
      m_released.wait();
      return ServerReply{.body = body};
    });
    cluster.server.on("GET", list_path("pods") + "/*", {{.body = "first\nlast words\n"}});
  }
  ~LatePods() { release(); }
  LatePods(const LatePods&) = delete;
  LatePods& operator=(const LatePods&) = delete;

  Verdict judge(Id id) {
    Told console([this](std::string_view line) {
      if (line.find("events of namespace") != std::string_view::npos) release();
    });
    GateRun run{.name_space = "shop", .options = tests::impatient()};
    run.subjects.push_back({.id = std::move(id), .uid = "d1"});
    return run_gate(cluster.client, run, console, {});
  }

 private:
  void release() {
    if (!std::exchange(m_is_released, true)) m_release.set_value();
  }

  const std::vector<std::string> m_first;
  bool m_is_released = false;
  std::promise<void> m_release;
  const std::shared_future<void> m_released = m_release.get_future().share();

 public:
  tests::Cluster cluster;  // last: its threads use the rest
};

}  // namespace

TEST_CASE("A failed Job is not judged before its pods are listed") {
  json failed = tests::pod("p", "d1", {{"terminated", {{"exitCode", 4}, {"reason", "Error"}}}});
  failed["status"]["phase"] = "Failed";
  LatePods shop({"jobs"}, failed);
  serve(shop.cluster, "jobs", {tests::job("app:v1", "Failed", "d1")});
  const Verdict verdict = shop.judge({Kind::job, "migrate"});
  CHECK_FALSE(verdict.passed);
  CHECK_THAT(verdict.cause(), EndsWith("ended with exit code 4; last words: last words"));
}

TEST_CASE("A Deployment that seems healthy is not passed before its pods are listed") {
  json killed =
      tests::pod("p", "h1", {{"waiting", {{"reason", "CrashLoopBackOff"}, {"message", ""}}}}, 2);
  killed["status"]["containerStatuses"][0]["lastState"] = {
      {"terminated", {{"exitCode", 137}, {"reason", "OOMKilled"}}}};
  LatePods shop({"deployments", "replicasets"}, killed);
  serve(shop.cluster, "deployments", {tests::deployment()});
  serve(shop.cluster, "replicasets", {tests::replica_set("h1", "1")});
  const Verdict verdict = shop.judge({Kind::deployment, "web"});
  CHECK_FALSE(verdict.passed);
  REQUIRE(verdict.failure);
  CHECK(verdict.failure->trouble == Trouble::out_of_memory);
}

TEST_CASE("With the right to list alone the gate waits for its pods' first list too") {
  json failed = tests::pod("p", "d1", {{"terminated", {{"exitCode", 4}, {"reason", "Error"}}}});
  failed["status"]["phase"] = "Failed";
  LatePods shop({"jobs"}, failed);
  serve(shop.cluster, "jobs", {tests::job("app:v1", "Failed", "d1")}, false);
  const Verdict verdict = shop.judge({Kind::job, "migrate"});
  CHECK_THAT(verdict.cause(), EndsWith("ended with exit code 4; last words: last words"));
}
