#include "executor/kubernetes/pod_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes/recorded.hpp"

using namespace berth;
using kubernetes::ContainerState;

TEST_CASE("the state of a pod and its containers") {
  const auto pod = recorded("oom_build");
  CHECK(pod.phase == "Running");
  CHECK(pod.node == "cluster");
  CHECK_FALSE(pod.ended());
  REQUIRE(pod.find("build") != nullptr);
  CHECK(pod.find("build")->terminated());
  CHECK(pod.find("build")->exit_code == 137);
  CHECK(pod.find("helper")->running());
  CHECK(pod.find("nobody") == nullptr);
  CHECK(recorded("deleted").being_deleted);
  CHECK(recorded("unschedulable").unscheduled_reason == "Unschedulable");
  CHECK(recorded("drained").disruption_reason == "EvictionByEvictionAPI");
}

TEST_CASE("an object of any shape is read without a word") {
  for (const char* text :
       {"null", "[]", "{}", R"({"metadata": 1, "status": []})",
        R"({"status": {"conditions": [1]}})",
        R"({"status": {"containerStatuses": [{"name": 1, "state": "x"}, null]}})",
        R"({"spec": {"nodeName": {}, "schedulingGates": "x"}})"}) {
    INFO(text);
    CHECK_NOTHROW(kubernetes::parse_pod_state(support::parse_json(text, "test")));
    CHECK_NOTHROW(kubernetes::parse_pod_trace(support::parse_json(text, "test")));
    CHECK_NOTHROW(kubernetes::parse_pod_events(support::parse_json(text, "test")));
  }
}

TEST_CASE("a pod waits for its gate") {
  const auto pod = kubernetes::parse_pod_state(
      support::parse_json(R"({"spec": {"schedulingGates": [{"name": "x"}]}})", "test"));
  CHECK(pod.gated);
}

TEST_CASE("events stand in the order they last happened") {
  const auto events = kubernetes::parse_pod_events(support::parse_json(R"({"items": [
    {"reason": "Pulling", "message": "later", "type": "Normal", "lastTimestamp": "2026-11-21T09:26:44Z"},
    {"reason": "FailedMount", "message": "first", "type": "Warning", "lastTimestamp": null,
     "eventTime": "2026-11-21T09:26:40.123Z"}]})",
                                                                       "test"));
  REQUIRE(events.size() == 2);
  CHECK(events[0].reason == "FailedMount");
  CHECK(events[0].warning);
  CHECK(events[1].message == "later");
}

TEST_CASE("what the sweep needs of a pod") {
  const auto trace = kubernetes::parse_pod_trace(support::parse_json(R"({
    "metadata": {"name": "berth-1-a", "uid": "u", "labels": {"berth.attempt": "a"},
                 "annotations": {"berth.tmpdir": "/tmp/x"}},
    "status": {"phase": "Failed", "containerStatuses": [
      {"state": {"terminated": {"finishedAt": "1970-01-01T00:01:00Z"}}},
      {"state": {"terminated": {"finishedAt": "1970-01-01T00:02:00Z"}}}]}})",
                                                                     "test"));
  CHECK(trace.attempt == "a");
  CHECK(trace.tmpdir == "/tmp/x");
  CHECK(trace.ended);
  CHECK(trace.ended_at == 120);
  CHECK(trace.start_by == 0);
}

TEST_CASE("a pod has started when both agents have") {
  const auto [build, helper, started] = GENERATE(table<std::string, std::string, bool>({
      {"running", "running", true},
      {"terminated", "running", true},
      {"running", "waiting", false},
      {"waiting", "running", false},
      {"running", "", false},
  }));
  CAPTURE(build, helper);
  nlohmann::json pod = {{"metadata", {{"annotations", {{"berth.start-by", "1700000000"}}}}}};
  nlohmann::json& statuses = pod["status"]["containerStatuses"];
  statuses = {{{"name", "build"}, {"state", {{build, nlohmann::json::object()}}}},
              {{"name", "svc-0"}, {"state", {{"waiting", nlohmann::json::object()}}}}};
  if (!helper.empty()) {
    statuses.push_back({{"name", "helper"}, {"state", {{helper, nlohmann::json::object()}}}});
  }
  const auto trace = kubernetes::parse_pod_trace(pod);
  CHECK(trace.started == started);
  CHECK(trace.start_by == 1700000000);
}

TEST_CASE("a pod whose agents have ended is one that has, whatever its services do") {
  const bool helper_too = GENERATE(true, false);
  const std::string ended = R"({"terminated": {"finishedAt": "1970-01-01T00:02:00Z"}})";
  const std::string running = R"({"running": {}})";
  const auto trace = kubernetes::parse_pod_trace(support::parse_json(
      R"({"status": {"phase": "Running", "containerStatuses": [
        {"name": "build", "state": )" +
          ended + R"(}, {"name": "helper", "state": )" + (helper_too ? ended : running) +
          R"(}, {"name": "svc-0", "state": )" + running + "}]}}",
      "test"));
  CHECK(trace.ended == helper_too);
  CHECK(trace.ended_at == 120);
}

TEST_CASE("an event names the container it is about") {
  const auto about = [](const char* path) {
    return kubernetes::parse_pod_event(
               {{"reason", "Started"}, {"involvedObject", {{"fieldPath", path}}}})
        .container;
  };
  CHECK(about("spec.containers{build}") == "build");
  CHECK(about("spec.initContainers{agent}").empty());
  CHECK(about("spec.containers{").empty());
  CHECK(about("").empty());
  CHECK(kubernetes::parse_pod_event({{"involvedObject", "build"}}).container.empty());
}
