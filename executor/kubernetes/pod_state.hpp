#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What a pod's object says about how the pod is doing, as values. Pure. The API's
/// words stay as they are (core/v1 PodStatus).
namespace berth::kubernetes {

struct ContainerState {
  enum class Phase { waiting, running, terminated };

  std::string name{};
  std::string image{};
  Phase phase = Phase::waiting;
  /// ErrImagePull, ContainerCreating, OOMKilled, StartError, ...
  std::string reason{};
  std::string message{};
  int exit_code = 0;

  bool running() const { return phase == Phase::running; }
  bool terminated() const { return phase == Phase::terminated; }
  /// Its first process could not be started at all.
  bool could_not_start() const;
  bool operator==(const ContainerState&) const = default;
};

struct PodState {
  std::string name{};
  std::string uid{};
  /// Pending, Running, Succeeded, Failed, Unknown
  std::string phase{};
  /// Evicted, DeadlineExceeded, OutOfcpu, ...
  std::string reason{};
  std::string message{};
  std::string node{};
  bool being_deleted = false;
  /// It has a scheduling gate.
  bool gated = false;
  /// Of the condition PodScheduled while it is False.
  std::string unscheduled_reason{};
  std::string unscheduled_message{};
  /// Of the condition DisruptionTarget once it is True.
  std::string disruption_reason{};
  std::string disruption_message{};
  std::vector<ContainerState> init_containers{};
  std::vector<ContainerState> containers{};

  bool ended() const { return phase == "Failed" || phase == "Succeeded"; }
  /// Nothing where the kubelet has not spoken of it yet.
  const ContainerState* find(std::string_view container) const;
  bool operator==(const PodState&) const = default;
};

/// Anything that is missing or of another type is left empty: the object comes
/// from a server of any version.
PodState parse_pod_state(const nlohmann::json& pod);

/// An event about the pod (core/v1 Event).
struct PodEvent {
  /// Pulling, FailedMount, FailedScheduling, ...
  std::string reason{};
  std::string message{};
  bool warning = false;
  /// The one it is about; empty: the pod.
  std::string container{};
  bool operator==(const PodEvent&) const = default;
};

PodEvent parse_pod_event(const nlohmann::json& event);
/// In the order they last happened.
std::vector<PodEvent> parse_pod_events(const nlohmann::json& list);

/// One attempt's pod, as the sweep judges it.
struct PodTrace {
  std::string name{};
  std::string uid{};
  std::string attempt{};
  std::string tmpdir{};
  /// Whole, as state::host_id gave it.
  std::string host{};
  /// Seconds since the epoch; 0: unknown.
  std::int64_t deadline = 0;
  /// The pod, or both containers with an agent: a service does not end by itself.
  bool ended = false;
  /// Both containers with an agent have run: from then on the watchdog sees to it.
  bool started = false;
  /// The annotation berth.start-by; 0: unknown.
  std::int64_t start_by = 0;
  bool being_deleted = false;
  /// When the last of its containers ended; 0 where nothing says so.
  std::int64_t ended_at = 0;
};

PodTrace parse_pod_trace(const nlohmann::json& pod);

}  // namespace berth::kubernetes
