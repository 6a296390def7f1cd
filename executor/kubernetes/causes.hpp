#pragma once

#include "executor/kubernetes/pod_state.hpp"
#include "executor/support/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Why a pod, or a container of it, came to its end: from the API's evidence to
/// whose fault it is and a line of words. Pure.
namespace berth::kubernetes {

struct Cause {
  support::Fault fault = support::Fault::infrastructure;
  /// One line, for a sentence after the container's name: "ran out of memory".
  std::string text{};
  std::string hint{};
  bool out_of_memory = false;
  /// Only that the container ended is known. Why may follow in a moment, or stand in
  /// the events alone: agents end with code 0 when they are told to, and the kubelet
  /// then takes a pod that it evicted for one that succeeded.
  bool tentative = false;
  bool operator==(const Cause&) const = default;
};

/// Why nothing can be done in `container` any more; nothing while no evidence
/// says so. No pod: the server knows none of that name. `uid` is the pod's that
/// was made; another pod of that name is no evidence of this one but its end.
std::optional<Cause> cause_of_end(const std::optional<PodState>& pod, std::string_view uid,
                                  std::string_view container);

/// The part of it that is about the pod as a whole: evicted, preempted, drained,
/// its node lost or full, its deadline, deleted.
std::optional<Cause> cause_of_pod_end(const std::optional<PodState>& pod, std::string_view uid);

/// What the pod's events, in the order they happened, say of its end.
std::optional<Cause> cause_of_events(const std::vector<PodEvent>& events);

/// "ended with exit code 3: Error", for a container that has terminated.
std::string explain(const ContainerState& container);

/// Throws it as JobError, OperatorError or SystemError.
[[noreturn]] void throw_cause(const Cause& cause, const std::string& subject,
                              const std::string& appendix = {});

}  // namespace berth::kubernetes
