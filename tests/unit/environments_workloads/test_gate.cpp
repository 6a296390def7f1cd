#include "executor/environments/workloads/gate.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/objects.hpp"

using namespace berth::environments::workloads;
using berth::tests::deployment;
using berth::tests::job;
using berth::tests::pod;
using berth::tests::replica_set;
using nlohmann::json;
using Phase = Gate::Phase;
using std::chrono::seconds;

namespace {

const json k_running = {{"running", json::object()}};

json waiting(const std::string& reason, const std::string& message = {}) {
  return {{"waiting", {{"reason", reason}, {"message", message}}}};
}

json ended_before(json pod, int code, const std::string& reason = "Error") {
  pod["status"]["containerStatuses"][0]["lastState"] = {
      {"terminated", {{"exitCode", code}, {"reason", reason}}}};
  return pod;
}

json unschedulable(json pod) {
  pod["status"]["conditions"] = {{{"type", "PodScheduled"},
                                  {"status", "False"},
                                  {"reason", "Unschedulable"},
                                  {"message", "0/1 nodes are available"}}};
  return pod;
}

json with_probe(json pod) {
  pod["spec"]["containers"][0]["readinessProbe"] = json::object();
  return pod;
}

json event(const std::string& uid, const std::string& reason, const std::string& message,
           const std::string& at = berth::tests::k_later) {
  return {{"involvedObject", {{"uid", uid}}},
          {"reason", reason},
          {"message", message},
          {"lastTimestamp", at}};
}

/// A gate for Deployment 'web', which goes from revision 1 to 2, and a clock of its own.
struct Rollout {
  explicit Rollout(GateOptions options = {}, Id id = {Kind::deployment, "web"})
      : gate({{.id = std::move(id), .uid = "d1", .revision_before = "1"}}, options, now) {}

  Gate::Step after(seconds time) {
    now += time;
    return gate.look(now);
  }
  Gate::Step show(Seen what, const json& object) {
    gate.see(what, object);
    return gate.look(now);
  }
  void roll_out(int available, const std::string& revision = "2") {
    gate.see(Seen::replica_set, replica_set("h2", revision));
    gate.see(Seen::deployment, deployment({.revision = revision, .available = available}));
  }

  Gate::TimePoint now{};
  Gate gate;
};

}  // namespace

TEST_CASE("A rollout passes when it is done and its pods have a readiness probe") {
  Rollout rollout;
  CHECK(rollout.after(seconds(0)).lines ==
        std::vector<std::string>{"Deployment 'web': not seen yet"});
  rollout.roll_out(0);
  CHECK(rollout.show(Seen::pod, with_probe(pod("p", "h2", waiting("ContainerCreating")))).lines ==
        std::vector<std::string>{"Deployment 'web': 1 of 1 pod new, 0 ready"});
  rollout.gate.see(Seen::pod, with_probe(pod("p", "h2", k_running)));
  rollout.roll_out(1);
  const Gate::Step step = rollout.after(seconds(0));
  CHECK(step.phase == Phase::passed);
  CHECK(step.lines == std::vector<std::string>{"Deployment 'web': done"});
  CHECK(rollout.gate.notes().empty());
}

TEST_CASE("Without a readiness probe a container must go on for a while") {
  Rollout rollout;
  rollout.roll_out(1);
  CHECK(rollout.show(Seen::pod, pod("p", "h2", k_running)).phase == Phase::rolling);
  CHECK(rollout.after(seconds(4)).phase == Phase::rolling);
  // It ended, and was started again.
  CHECK(rollout.show(Seen::pod, ended_before(pod("p", "h2", k_running, 1), 1)).phase ==
        Phase::rolling);
  CHECK(rollout.after(seconds(4)).phase == Phase::rolling);
  CHECK(rollout.after(seconds(1)).phase == Phase::passed);
}

TEST_CASE("Nothing to wait for passes at once") {
  Gate gate({}, {}, {});
  CHECK(gate.look({}).phase == Phase::passed);
}

TEST_CASE(
    "An image that cannot be had fails at once, or after a while where the registry may recover") {
  Rollout rollout;
  rollout.roll_out(0);
  const std::string words =
      "Back-off pulling image \"app:v1\": ErrImagePull: failed to resolve reference "
      "\"docker.io/library/app:v1\": ";
  SECTION("not there") {
    const auto step = rollout.show(
        Seen::pod,
        pod("p", "h2", waiting("ImagePullBackOff", words + "docker.io/app:v1: not found")));
    REQUIRE(step.failure);
    CHECK(step.phase == Phase::failed);
    CHECK(step.failure->trouble == Trouble::image_pull);
    CHECK(step.failure->text ==
          "Deployment 'web': container 'app' of pod 'web-h2-p' cannot get its image 'app:v1': "
          "docker.io/app:v1: not found");
  }
  SECTION("no login") {
    const auto step = rollout.show(
        Seen::pod,
        pod("p", "h2", waiting("ErrImagePull", words + "unexpected status: 401 Unauthorized")));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::pull_denied);
  }
  SECTION("a registry that is busy") {
    const json busy = pod("p", "h2", waiting("ErrImagePull", words + "503 Service Unavailable"));
    CHECK_FALSE(rollout.show(Seen::pod, busy).failure);
    CHECK_FALSE(rollout.after(seconds(119)).failure);
    REQUIRE(rollout.after(seconds(1)).failure);
  }
}

TEST_CASE("A container that ends twice may come to run; the third time it will not") {
  Rollout rollout;
  rollout.roll_out(0);
  const auto crashed = [](int restarts) {
    return ended_before(pod("p", "h2", waiting("CrashLoopBackOff"), restarts), 3);
  };
  CHECK_FALSE(rollout.show(Seen::pod, crashed(1)).failure);
  const auto step = rollout.show(Seen::pod, crashed(2));
  REQUIRE(step.failure);
  CHECK(step.failure->trouble == Trouble::crash_loop);
  CHECK(step.failure->text ==
        "Deployment 'web': container 'app' of pod 'web-h2-p' ends again and again: exit code 3, 3 "
        "starts");
  CHECK(step.failure->pod == "web-h2-p");
  CHECK(step.failure->container == "app");
  CHECK_FALSE(step.failure->previous);
}

TEST_CASE("A liveness probe that ends containers is named") {
  Rollout rollout;
  rollout.roll_out(0);
  rollout.gate.see(Seen::event, event("p", "Unhealthy", "Liveness probe failed: 500"));
  const auto step =
      rollout.show(Seen::pod, ended_before(pod("p", "h2", waiting("CrashLoopBackOff"), 2), 137));
  REQUIRE(step.failure);
  CHECK_THAT(step.failure->text, EndsWith("; Liveness probe failed: 500"));
}

TEST_CASE("A container that is killed for its memory twice fails") {
  Rollout rollout;
  rollout.roll_out(0);
  const auto step = rollout.show(
      Seen::pod, ended_before(pod("p", "h2", waiting("CrashLoopBackOff"), 1), 137, "OOMKilled"));
  REQUIRE(step.failure);
  CHECK(step.failure->trouble == Trouble::out_of_memory);
}

TEST_CASE("A program that is not in the image fails at once") {
  Rollout rollout;
  rollout.roll_out(0);
  const auto step = rollout.show(
      Seen::pod, pod("p", "h2", waiting("RunContainerError", "exec: \"serve\": not found")));
  REQUIRE(step.failure);
  CHECK(step.failure->trouble == Trouble::cannot_start);
  CHECK_THAT(step.failure->text, ContainsSubstring("exec: \"serve\": not found"));
}

TEST_CASE("No node for a while is certain; a node that comes ends the wait") {
  Rollout rollout;
  rollout.roll_out(0);
  const json pending = unschedulable(pod("p", "h2", json::object()));
  CHECK_FALSE(rollout.show(Seen::pod, pending).failure);
  CHECK_FALSE(rollout.after(seconds(59)).failure);
  SECTION("none comes") {
    const auto step = rollout.after(seconds(1));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::unschedulable);
    CHECK(step.failure->text ==
          "Deployment 'web': no node for pod 'web-h2-p': 0/1 nodes are available");
  }
  SECTION("one came, and went") {
    CHECK_FALSE(rollout.show(Seen::pod, pod("p", "h2", waiting("ContainerCreating"))).failure);
    CHECK_FALSE(rollout.show(Seen::pod, pending).failure);
    CHECK_FALSE(rollout.after(seconds(59)).failure);
    CHECK(rollout.after(seconds(1)).failure);
  }
}

TEST_CASE("Pods that are refused fail after a while without progress") {
  Rollout rollout;
  json object =
      deployment({.revision = "2", .replicas = 2, .updated = 1, .all = 2, .available = 1});
  object["status"]["conditions"] = {
      {{"type", "ReplicaFailure"},
       {"status", "True"},
       {"reason", "FailedCreate"},
       {"message", "pods \"web-h2-x\" is forbidden: exceeded quota: small"}}};
  CHECK_FALSE(rollout.show(Seen::deployment, object).failure);
  CHECK_FALSE(rollout.after(seconds(9)).failure);
  SECTION("no progress") {
    const auto step = rollout.after(seconds(1));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::quota);
  }
  SECTION("one pod more") {
    object["spec"]["replicas"] = 3;
    object["status"]["updatedReplicas"] = 2;
    CHECK_FALSE(rollout.show(Seen::deployment, object).failure);
    CHECK_FALSE(rollout.after(seconds(9)).failure);
    CHECK(rollout.after(seconds(1)).failure);
  }
}

TEST_CASE("A Job's refused pods are told by events alone, and old events do not count") {
  const std::string at =
      GENERATE(std::string("2026-11-21T17:59:59Z"), std::string(berth::tests::k_later));
  Rollout rollout({}, {Kind::job, "migrate"});
  rollout.gate.see(Seen::event,
                   event("d1", "FailedCreate", "violates PodSecurity \"restricted:latest\"", at));
  json made = job("app:v1", "", "d1");
  CHECK_FALSE(rollout.show(Seen::job, made).failure);
  const auto step = rollout.after(seconds(10));
  CHECK(step.failure.has_value() == (at == berth::tests::k_later));
  if (step.failure) CHECK(step.failure->trouble == Trouble::refused);
}

TEST_CASE("Pods of an older revision are nobody's evidence") {
  Rollout rollout;
  rollout.gate.see(Seen::replica_set, replica_set("h1", "1"));
  rollout.roll_out(0);
  const json broken = ended_before(pod("old", "h1", waiting("CrashLoopBackOff"), 9), 1);
  CHECK_FALSE(rollout.show(Seen::pod, broken).failure);
  json going = ended_before(pod("going", "h2", waiting("CrashLoopBackOff"), 9), 1);
  going["metadata"]["deletionTimestamp"] = berth::tests::k_later;
  CHECK_FALSE(rollout.show(Seen::pod, going).failure);
}

TEST_CASE("Without a right to replica sets, pods are told by their time and images") {
  Rollout rollout;
  rollout.gate.cannot_see(Seen::replica_set);
  rollout.roll_out(0);
  json old = ended_before(pod("old", "h1", waiting("CrashLoopBackOff"), 9), 1);
  old["metadata"]["creationTimestamp"] = "2026-11-21T17:00:00Z";
  CHECK_FALSE(rollout.show(Seen::pod, old).failure);
  CHECK_FALSE(rollout
                  .show(Seen::pod,
                        ended_before(pod("b", "h3", waiting("CrashLoopBackOff"), 9, "app:v0"), 1))
                  .failure);
  CHECK(rollout.show(Seen::pod, ended_before(pod("n", "h2", waiting("CrashLoopBackOff"), 9), 1))
            .failure);
}

TEST_CASE("When time is up the cause is the most telling one") {
  Rollout rollout({.timeout = seconds(60)});
  rollout.roll_out(0);
  json not_ready = with_probe(pod("p", "h2", k_running));
  not_ready["status"]["containerStatuses"][0]["ready"] = false;
  rollout.gate.see(Seen::event, event("p", "Unhealthy", "Readiness probe failed: HTTP 503"));
  CHECK_FALSE(rollout.show(Seen::pod, not_ready).failure);
  CHECK_FALSE(rollout.after(seconds(59)).failure);
  const auto step = rollout.after(seconds(1));
  REQUIRE(step.failure);
  CHECK(step.failure->trouble == Trouble::readiness);
  CHECK(step.failure->text ==
        "Deployment 'web' is not ready within 60 s: container 'app' of pod 'web-h2-p' runs but is "
        "not ready: Readiness probe failed: HTTP 503");
}

TEST_CASE("A failed Job is told with the end of its last pod") {
  Rollout rollout({}, {Kind::job, "migrate"});
  json failed = pod("p", "d1", {{"terminated", {{"exitCode", 4}, {"reason", "Error"}}}});
  failed["status"]["phase"] = "Failed";
  rollout.gate.see(Seen::pod, failed);
  const auto step = rollout.show(Seen::job, job("app:v1", "Failed", "d1"));
  REQUIRE(step.failure);
  CHECK(step.failure->trouble == Trouble::job_failed);
  CHECK_THAT(step.failure->text,
             EndsWith("container 'app' of pod 'web-d1-p' ended with exit code 4"));
  CHECK(step.failure->container == "app");
}

TEST_CASE("A failed Job waits a moment for the pod that it failed by") {
  Rollout rollout({}, {Kind::job, "migrate"});
  json late = pod("p", "d1", {{"terminated", {{"exitCode", 4}, {"reason", "Error"}}}});
  late["status"]["phase"] = "Failed";
  const auto fail = [&] { return rollout.show(Seen::job, job("app:v1", "Failed", "d1")); };
  SECTION("it comes") {
    CHECK_FALSE(fail().failure);
    CHECK_FALSE(rollout.after(seconds(1)).failure);
    const auto step = rollout.show(Seen::pod, late);
    REQUIRE(step.failure);
    CHECK_THAT(step.failure->text, EndsWith("ended with exit code 4"));
  }
  SECTION("the Job removed it") {
    CHECK_FALSE(fail().failure);
    const auto step = rollout.after(seconds(2));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::job_failed);
    CHECK(step.failure->pod.empty());
  }
  SECTION("pods may not be seen") {
    rollout.gate.cannot_see(Seen::pod);
    CHECK(fail().failure);
  }
}

TEST_CASE("A workload that is deleted meanwhile fails, unless it was made again") {
  Rollout rollout;
  rollout.roll_out(0);
  rollout.gate.forget(Seen::deployment, deployment());
  SECTION("gone") {
    const auto step = rollout.after(seconds(0));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::gone);
  }
  SECTION("made again") {
    rollout.roll_out(0);
    CHECK_FALSE(rollout.after(seconds(0)).failure);
  }
}

TEST_CASE("What is ready is asked, watched, and only then passed") {
  Rollout rollout({.soak = seconds(30), .probe = true});
  rollout.roll_out(1);
  CHECK(rollout.show(Seen::pod, with_probe(pod("p", "h2", k_running))).phase == Phase::probing);
  rollout.gate.answered(false, "GET http://app: 503");
  CHECK(rollout.after(seconds(2)).phase == Phase::probing);
  rollout.gate.answered(true, "GET http://app: 200");
  CHECK(rollout.after(seconds(2)).phase == Phase::soaking);
  CHECK(rollout.after(seconds(29)).phase == Phase::soaking);
  SECTION("it stays well") {
    CHECK(rollout.after(seconds(1)).phase == Phase::passed);
  }
  SECTION("a container ends") {
    const auto step =
        rollout.show(Seen::pod, with_probe(ended_before(pod("p", "h2", k_running, 1), 1)));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::unstable);
    CHECK_THAT(step.failure->text,
               StartsWith("Deployment 'web' was healthy, and a container of it"));
  }
  SECTION("a pod stops being ready") {
    rollout.roll_out(0);
    const auto step = rollout.after(seconds(0));
    REQUIRE(step.failure);
    CHECK(step.failure->trouble == Trouble::unstable);
  }
}

TEST_CASE("A probe that never answers well is the cause when time is up") {
  Rollout rollout({.timeout = seconds(10), .probe = true});
  rollout.roll_out(1);
  rollout.gate.see(Seen::pod, with_probe(pod("p", "h2", k_running)));
  rollout.after(seconds(0));
  rollout.gate.answered(false, "GET http://app: 503");
  const auto step = rollout.after(seconds(10));
  REQUIRE(step.failure);
  CHECK(step.failure->trouble == Trouble::probe);
  CHECK(step.failure->text ==
        "all workloads are ready, and the HTTP probe fails: GET http://app: 503");
}

TEST_CASE("Two rollouts by one deployment are named") {
  Rollout rollout;
  rollout.roll_out(1, "3");
  rollout.gate.see(Seen::pod, with_probe(pod("p", "h2", k_running)));
  CHECK(rollout.after(seconds(0)).phase == Phase::passed);
  REQUIRE(rollout.gate.notes().size() == 1);
  CHECK_THAT(
      rollout.gate.notes()[0],
      StartsWith("Deployment 'web' was rolled out 2 times by one deployment (revision 2, then 3)"));
}

TEST_CASE("Only what was made, changed or remade is waited for, and nothing that has an owner") {
  json owned = job("app:v1", "", "j9");
  owned["metadata"]["ownerReferences"] = {
      {{"kind", "CronJob"}, {"name", "c"}, {"controller", true}}};
  const Snapshot before = berth::tests::snapshot({});
  const Snapshot after =
      berth::tests::snapshot({{Kind::deployment, deployment()}, {Kind::job, owned}});
  const auto subjects = subjects_of(diff(before, after), after);
  REQUIRE(subjects.size() == 1);
  CHECK(subjects[0].id.name == "web");
  CHECK(subjects[0].revision_before.empty());
}
