#include "executor/kubernetes/causes.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes/recorded.hpp"

#include <array>

using namespace berth;
using kubernetes::cause_of_end;
using kubernetes::PodState;
using support::Fault;

namespace {

kubernetes::Cause cause(const PodState& pod, const char* container = "build") {
  const auto found = cause_of_end(pod, pod.uid, container);
  REQUIRE(found);
  return *found;
}

PodState running() {
  return recorded("running");
}

PodState disrupted(const char* reason) {
  PodState pod = running();
  pod.disruption_reason = reason;
  pod.disruption_message = "the cluster's words";
  pod.being_deleted = true;
  return pod;
}

}  // namespace

TEST_CASE("a running pod has no cause to end") {
  CHECK_FALSE(cause_of_end(running(), running().uid, "build"));
  CHECK_FALSE(cause_of_end(running(), "", "build"));
}

TEST_CASE("memory is the job's own limit, and leaves the helper alone") {
  const PodState pod = recorded("oom_build");
  CHECK(cause(pod).out_of_memory);
  CHECK(cause(pod).fault == Fault::job);
  CHECK(cause(pod).text == "ran out of memory and was killed");
  CHECK_FALSE(cause_of_end(pod, pod.uid, "helper"));
  PodState helper = pod;
  helper.containers.at(0).name = "helper";
  CHECK(cause(helper, "helper").fault == Fault::operator_);
  PodState going = pod;
  going.being_deleted = true;
  CHECK(cause(going).out_of_memory);
}

TEST_CASE("more disk than the job's own limits is the job's doing") {
  const auto found = cause(recorded("evicted_own_disk"));
  CHECK(found.fault == Fault::job);
  CHECK(found.text ==
        "used more disk than it may: Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\".");
}

TEST_CASE("a pod that Berth's own watchdog has ended is nobody's doing") {
  PodState pod = recorded("evicted_own_disk");
  pod.message = "Usage of EmptyDir volume \"berth-lease\" exceeds the limit \"1Mi\". ";
  CHECK(cause(pod).fault == Fault::infrastructure);
  CHECK_THAT(cause(pod).text, StartsWith("ended itself: its agents had not heard"));
}

TEST_CASE("a node short of memory evicts: nobody's words are wrong") {
  PodState pod = running();
  pod.phase = "Failed";
  pod.reason = "Evicted";
  pod.message = "The node was low on resource: memory. ";
  const auto found = cause(pod);
  CHECK(found.fault == Fault::infrastructure);
  CHECK(found.text == "was evicted by its node: The node was low on resource: memory.");
}

TEST_CASE("a drained node") {
  const auto found = cause(recorded("drained"));
  CHECK(found.fault == Fault::infrastructure);
  CHECK(found.text == "was evicted: somebody drains its node: Eviction API: evicting");
}

TEST_CASE("disruptions are told apart") {
  struct Row {
    const char* reason;
    const char* words;
  };
  for (const Row& row : std::array{Row{"PreemptionByScheduler", "higher priority"},
                                   Row{"DeletionByTaintManager", "node was lost or got a taint"},
                                   Row{"DeletionByPodGC", "its node is gone"},
                                   Row{"TerminationByKubelet", "runs short or shuts down"},
                                   Row{"SomethingNew", "disrupted (SomethingNew)"}}) {
    const auto found = cause(disrupted(row.reason));
    INFO(row.reason);
    CHECK(found.fault == Fault::infrastructure);
    CHECK(found.text.find(row.words) != std::string::npos);
    CHECK(found.text.ends_with("the cluster's words"));
  }
}

TEST_CASE("a pod past its deadline, deleted, gone, or replaced") {
  CHECK(cause(recorded("deadline")).text ==
        "ran longer than the job may: Pod was active on the node longer than the specified "
        "deadline");
  CHECK(cause(recorded("deleted")).text == "is being ended: somebody deletes its pod");
  CHECK(cause_of_end(std::nullopt, "uid", "build")->text ==
        "is gone: its pod was deleted by somebody else");
  CHECK(cause_of_end(running(), "another", "build")->text ==
        "is gone: another pod of that name stands there");
}

TEST_CASE("a node that refuses a pod") {
  PodState pod = running();
  pod.phase = "Failed";
  pod.reason = "OutOfcpu";
  pod.message = "Node didn't have enough resource: cpu";
  CHECK(cause(pod).text ==
        "was refused by its node (OutOfcpu): Node didn't have enough resource: cpu");
  CHECK(cause(pod).fault == Fault::infrastructure);
}

TEST_CASE("a container that ended on its own") {
  PodState pod = running();
  pod.containers.at(0).phase = kubernetes::ContainerState::Phase::terminated;
  pod.containers.at(0).exit_code = 3;
  pod.containers.at(0).reason = "Error";
  CHECK(cause(pod).text == "ended with exit code 3");
  CHECK(cause(pod).fault == Fault::infrastructure);
  // Why the pod did is known a moment later, if at all.
  CHECK(cause(pod).tentative);
  pod.phase = "Failed";
  pod.reason = "Evicted";
  CHECK_FALSE(cause(pod).tentative);
}

TEST_CASE("an eviction that only the events tell of") {
  using kubernetes::cause_of_events;
  const kubernetes::PodEvent started{.reason = "Started", .message = "Container started"};
  const kubernetes::PodEvent killing{.reason = "Killing", .message = "Stopping container build"};
  CHECK_FALSE(cause_of_events({}));
  CHECK_FALSE(cause_of_events({started, killing}));
  const auto disk = cause_of_events(
      {started,
       {.reason = "Evicted",
        .message = "Usage of EmptyDir volume \"small\" exceeds the limit \"1Mi\". "},
       killing});
  REQUIRE(disk);
  CHECK(disk->fault == Fault::job);
  CHECK(
      disk->text ==
      "used more disk than it may: Usage of EmptyDir volume \"small\" exceeds the limit \"1Mi\".");
  const auto memory = cause_of_events(
      {started, {.reason = "Evicted", .message = "The node was low on resource: memory."}});
  REQUIRE(memory);
  CHECK(memory->fault == Fault::infrastructure);
}

TEST_CASE("a cause is thrown as whose fault it is") {
  CHECK_THROWS_AS(kubernetes::throw_cause({.fault = Fault::job, .text = "x"}, "it"),
                  support::JobError);
  CHECK_THROWS_AS(kubernetes::throw_cause({.fault = Fault::operator_, .text = "x"}, "it"),
                  support::OperatorError);
  CHECK_THROWS_WITH(kubernetes::throw_cause({.text = "is gone"}, "the pod", " now"),
                    "the pod is gone now");
}

TEST_CASE("a container's own words stay on one line and move no cursor") {
  kubernetes::ContainerState container;
  container.exit_code = 3;
  container.message = "all\n\tis well\x1b[2J \r\n";
  CHECK(kubernetes::explain(container) == "ended with exit code 3: all is well [2J");
}
