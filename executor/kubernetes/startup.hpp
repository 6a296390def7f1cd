#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/api/pull_trouble.hpp"
#include "executor/kubernetes/causes.hpp"
#include "executor/kubernetes/pod_state.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a pod that is starting waits for, in words, and when to give up. Pure but
/// for what it remembers of the pod it follows.
namespace berth::kubernetes {

/// A container of the pod as the plan knows it.
struct PlannedContainer {
  enum class Kind { build, helper, service };
  /// Of the container in the pod.
  std::string name{};
  Kind kind = Kind::build;
  std::string image{};
  /// Named by the settings, not by the job: errors are the operator's.
  bool from_settings = false;

  std::string called() const;
  bool operator==(const PlannedContainer&) const = default;
};

/// Build, helper, then services: the order of PodInputs::pull_attempts.
std::vector<PlannedContainer> planned_containers(const core::JobSpec& spec, const core::Job& job);

class Startup {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A container whose configuration is refused may only wait for an object that
  /// is about to be made.
  static constexpr std::chrono::seconds k_config_patience{4};

  /// `pull_patience`: how long a container's image may be out of reach before that
  /// is a failure (JobSpec::pull_retry_timeout).
  explicit Startup(std::vector<PlannedContainer> containers,
                   std::chrono::milliseconds pull_patience = std::chrono::minutes{3})
      : m_containers(std::move(containers)),
        m_pull_patience(pull_patience),
        m_pull_trouble_since(m_containers.size()) {}

  struct Step {
    /// For the job log: what changed since the last look. Often empty.
    std::vector<std::string> lines{};
    /// All containers run (or have run, of services).
    bool running = false;
    /// The pod will not come to run; the message is whole.
    std::optional<Cause> failure{};
    /// The failure is about this container's image (an index of the containers):
    /// its next pull policy may help.
    std::optional<std::size_t> pull_failed{};
  };
  /// `pod`: nothing when it is gone. `events` of the pod so far, may be empty.
  Step look(const std::optional<PodState>& pod, const std::vector<PodEvent>& events, TimePoint now);

  /// What it waits for now, for the message when time is up; may be empty.
  const std::string& waiting_for() const noexcept { return m_waiting_for; }

 private:
  const PlannedContainer* find(std::string_view name) const;
  void say(Step& step, std::string text);
  void look_at_scheduling(const PodState& pod, Step& step);
  void look_at_container(const ContainerState& state, std::size_t index, TimePoint now, Step& step);
  void look_at_events(const std::vector<PodEvent>& events, Step& step);

  void look_at_pull(const ContainerState& state, std::size_t index, TimePoint now, Step& step);

  std::vector<PlannedContainer> m_containers;
  std::chrono::milliseconds m_pull_patience;
  /// Of each container, since its image could first not be had.
  std::vector<std::optional<TimePoint>> m_pull_trouble_since;
  /// The registry's last ones.
  std::string m_pull_words;
  std::string m_waiting_for;
  std::optional<TimePoint> m_config_trouble_since;
};

}  // namespace berth::kubernetes
