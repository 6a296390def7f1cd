#include "agent/protocol/exit_codes.hpp"
#include "executor/kubernetes/startup.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes/recorded.hpp"

using namespace berth;
using kubernetes::judge_pull;
using kubernetes::PlannedContainer;
using kubernetes::PodEvent;
using kubernetes::PodState;
using kubernetes::PullTrouble;
using kubernetes::Startup;
using support::Fault;

namespace {

using Kind = PlannedContainer::Kind;
const Startup::TimePoint k_start{};

PlannedContainer build(bool from_settings = false) {
  return {
      .name = "build", .kind = Kind::build, .image = "image:tag", .from_settings = from_settings};
}

Startup::Step first_look(const PodState& pod,
                         std::vector<PlannedContainer> containers = {build()}) {
  return Startup(std::move(containers)).look(pod, {}, k_start);
}

PodState creating() {
  PodState pod = recorded("running");
  pod.phase = "Pending";
  pod.containers.at(0).phase = kubernetes::ContainerState::Phase::waiting;
  pod.containers.at(0).reason = "ContainerCreating";
  return pod;
}

PodState pull_failing(const std::string& words) {
  PodState pod = creating();
  pod.containers.at(0).reason = "ErrImagePull";
  pod.containers.at(0).message = words;
  return pod;
}

}  // namespace

TEST_CASE("a pod runs when all of its containers do") {
  CHECK(first_look(recorded("running")).running);
  CHECK_FALSE(first_look(creating()).running);
  // The kubelet has not spoken of the second one yet.
  const PlannedContainer service{.name = "svc-0", .kind = Kind::service, .image = "x"};
  CHECK_FALSE(first_look(recorded("running"), {build(), service}).running);
}

TEST_CASE("a pod that no node takes: the scheduler's words, once") {
  Startup startup({build()});
  const auto step = startup.look(recorded("unschedulable"), {}, k_start);
  REQUIRE(step.lines.size() == 1);
  CHECK(step.lines[0].starts_with(
      "waiting for a node: 0/1 nodes are available: 1 Insufficient cpu."));
  CHECK(startup.look(recorded("unschedulable"), {}, k_start).lines.empty());
  CHECK(startup.waiting_for() == step.lines[0]);
}

TEST_CASE("a gate of our own is no cause to tell of") {
  PodState pod = recorded("unschedulable");
  pod.unscheduled_reason = "SchedulingGated";
  CHECK(first_look(pod).lines.empty());
}

TEST_CASE("an image that cannot be had fails at once, in the registry's words") {
  const auto step = first_look(recorded("pull_no_such_host"));
  REQUIRE(step.failure);
  CHECK(step.failure->fault == Fault::job);
  CHECK(step.failure->text ==
        "cannot pull image 'image:tag': failed to do request: Head "
        "\"https://registry-1.docker.io/v2/library/busybox/manifests/nosuchtag\": dial tcp: lookup "
        "registry-1.docker.io on 10.90.0.2:53: no such host");
  CHECK(step.pull_failed == 0u);
  CHECK(first_look(recorded("pull_no_such_host"), {build(true)}).failure->fault ==
        Fault::operator_);
  CHECK(first_look(recorded("pull_never")).failure);
  CHECK(first_look(recorded("pull_bad_name")).failure);
}

TEST_CASE("a registry that is busy is waited for, and another policy may help") {
  Startup startup({build()});
  const PodState busy = pull_failing("unexpected status code 503 Service Unavailable");
  const auto step = startup.look(busy, {}, k_start);
  CHECK_FALSE(step.failure);
  CHECK(step.pull_failed == 0u);
  REQUIRE(step.lines.size() == 1);
  CHECK(step.lines[0] ==
        "cannot pull image 'image:tag' yet: unexpected status code 503 Service Unavailable");
  PodState backing_off = busy;
  backing_off.containers.at(0).reason = "ImagePullBackOff";
  backing_off.containers.at(0).message =
      "Back-off pulling image \"image:tag\": ErrImagePull: unexpected status code 503 Service "
      "Unavailable";
  startup.look(backing_off, {}, k_start);
  backing_off.containers.at(0).message = "Back-off pulling image \"image:tag\"";
  CHECK(startup.look(backing_off, {}, k_start).lines.empty());
}

TEST_CASE("a registry that does not come back is given up in the end, and is nobody's fault") {
  using namespace std::chrono_literals;
  Startup startup({build()}, 60s);
  const PodState busy = pull_failing("unexpected status code 503 Service Unavailable");
  CHECK_FALSE(startup.look(busy, {}, k_start).failure);
  CHECK_FALSE(startup.look(creating(), {}, k_start + 30s).failure);
  CHECK_FALSE(startup.look(busy, {}, k_start + 59s).failure);
  PodState backing_off = busy;
  backing_off.containers.at(0).reason = "ImagePullBackOff";
  backing_off.containers.at(0).message = "Back-off pulling image \"image:tag\"";
  const auto step = startup.look(backing_off, {}, k_start + 60s);
  REQUIRE(step.failure);
  CHECK(step.failure->fault == Fault::infrastructure);
  CHECK(step.failure->text ==
        "cannot pull image 'image:tag': unexpected status code 503 Service Unavailable");
  CHECK_THAT(step.failure->hint, ContainsSubstring("`pull_retry_timeout`"));
  CHECK(step.pull_failed == 0u);
}

TEST_CASE("pull errors are judged by the registry's words") {
  for (const char* words :
       {"failed to resolve reference \"x\": x: not found",
        "pull access denied, repository does not exist", "401 Unauthorized",
        "unexpected status from HEAD request: 403 Forbidden", "no basic auth credentials",
        "manifest unknown", "lookup x on 10.0.0.1:53: no such host"}) {
    INFO(words);
    CHECK(judge_pull("ErrImagePull", words) == PullTrouble::final_);
  }
  for (const char* words :
       {"dial tcp 10.0.0.1:443: i/o timeout", "connection refused", "429 Too Many Requests",
        "toomanyrequests: pull rate limit", "unexpected status code 502 Bad Gateway",
        "net/http: TLS handshake timeout", "unexpected EOF", "some new words"}) {
    INFO(words);
    CHECK(judge_pull("ErrImagePull", words) == PullTrouble::temporary);
  }
  CHECK(judge_pull("InvalidImageName", "x") == PullTrouble::final_);
}

TEST_CASE("a service whose command is not there blames the job") {
  const PlannedContainer service{.name = "svc-0", .kind = Kind::service, .image = "busybox"};
  const auto step = first_look(recorded("service_bad_command"), {build(), service});
  REQUIRE(step.failure);
  CHECK(step.failure->fault == Fault::job);
  CHECK(step.failure->text.find("service 'busybox' could not be started") == 0);
  CHECK(step.failure->text.find("/no/such/program") != std::string::npos);
}

TEST_CASE("a service that ends holds nothing up") {
  PodState pod = recorded("oom_build");
  pod.containers.at(0).name = "svc-0";
  pod.containers.at(1).name = "build";
  const PlannedContainer service{.name = "svc-0", .kind = Kind::service, .image = "x"};
  CHECK(first_look(pod, {build(), service}).running);
}

TEST_CASE("a build container that ends before its agent speaks blames the job") {
  const auto step = first_look(recorded("oom_build"));
  REQUIRE(step.failure);
  CHECK(step.failure->fault == Fault::job);
  CHECK(step.failure->text ==
        "build container of image 'image:tag' ran out of memory and was killed before the job "
        "could use it");
}

TEST_CASE("a build container that its agent's watchdog ended blames nobody's image") {
  for (const int code : {protocol::k_exit_orphaned, protocol::k_exit_deadline}) {
    PodState pod = recorded("running");
    pod.containers.at(0).phase = kubernetes::ContainerState::Phase::terminated;
    pod.containers.at(0).exit_code = code;
    const auto step = first_look(pod);
    REQUIRE(step.failure);
    CHECK(step.failure->fault == Fault::infrastructure);
    CHECK_THAT(step.failure->text, ContainsSubstring("`orphan_timeout`"));
  }
}

TEST_CASE("what a container is made of may come a little later") {
  Startup startup({build()});
  const PodState pod = recorded("config_missing_secret");
  const auto step = startup.look(pod, {}, k_start);
  CHECK_FALSE(step.failure);
  REQUIRE(step.lines.size() == 1);
  CHECK(step.lines[0].find("secret \"missing\" not found") != std::string::npos);
  CHECK_FALSE(startup.look(pod, {}, k_start + Startup::k_config_patience / 2).failure);
  const auto late = startup.look(pod, {}, k_start + Startup::k_config_patience);
  REQUIRE(late.failure);
  CHECK(late.failure->fault == Fault::operator_);
}

TEST_CASE("an image that would run as root where none may is the author's choice") {
  Startup startup({build()});
  startup.look(recorded("config_non_root"), {}, k_start);
  const auto step =
      startup.look(recorded("config_non_root"), {}, k_start + Startup::k_config_patience);
  REQUIRE(step.failure);
  CHECK(step.failure->fault == Fault::job);
}

TEST_CASE("events tell what no status does") {
  Startup startup({build()});
  const auto pulling = startup.look(
      creating(), {PodEvent{.reason = "Pulling", .message = "Pulling image \"image:tag\""}},
      k_start);
  REQUIRE(pulling.lines.size() == 1);
  CHECK(pulling.lines[0] == "pulling image \"image:tag\"");
  const PodEvent mount{.reason = "FailedMount",
                       .message = "MountVolume.SetUp failed: secret \"x\" not found",
                       .warning = true};
  CHECK(startup.look(creating(), {mount}, k_start).lines.at(0).find("waiting for a volume: ") == 0);
  CHECK(startup.look(creating(), {mount}, k_start).lines.empty());
}

TEST_CASE("a pod that ends while it starts") {
  CHECK(first_look(recorded("drained")).failure->text.find("the job's pod was evicted") == 0);
  CHECK(Startup({build()}).look(std::nullopt, {}, k_start).failure->fault == Fault::infrastructure);
}
