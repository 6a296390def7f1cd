#include "executor/kubernetes/causes.hpp"

#include "executor/kubernetes/pod/names.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>

#include <array>

namespace berth::kubernetes {
namespace {

using support::Fault;

struct Words {
  std::string_view reason;
  std::string_view text;
  std::string_view hint;
};

constexpr const char* k_retry = "the job may be run again; `retry: {when: runner_system_failure}`";

/// Reasons of the condition DisruptionTarget
/// (kubernetes.io/docs/concepts/workloads/pods/disruptions).
constexpr std::array k_disruptions = {
    Words{"PreemptionByScheduler", "was preempted by a pod of higher priority",
          "give jobs a `priority_class_name`, or the cluster more room"},
    Words{"DeletionByTaintManager", "was ended because its node was lost or got a taint", k_retry},
    Words{"EvictionByEvictionAPI", "was evicted: somebody drains its node", k_retry},
    Words{"DeletionByPodGC", "was ended because its node is gone", k_retry},
    Words{"TerminationByKubelet", "was ended by its node, which runs short or shuts down",
          "set `memory_request` and `ephemeral_storage_request` to what jobs need"},
};

/// PodStatus::reason of pods that the kubelet, or the node's controller, gave up.
constexpr std::array k_reasons = {
    Words{"Evicted", "was evicted by its node",
          "set `memory_request` and `ephemeral_storage_request` to what jobs need"},
    Words{"Preempting", "had to make room on its node for a critical pod", k_retry},
    Words{"Preempted", "was preempted by a pod of higher priority", k_retry},
    Words{"DeadlineExceeded", "ran longer than the job may", ""},
    Words{"NodeLost", "was lost with its node", k_retry},
    Words{"NodeShutdown", "was ended because its node shuts down", k_retry},
    Words{"Terminated", "was ended because its node shuts down", k_retry},
    Words{"Shutdown", "was ended because its node shuts down", k_retry},
};

/// The kubelet's words where a pod used more disk than its own limits allow: the
/// job's doing, and a second try ends the same.
bool is_own_disk_limit(std::string_view message) {
  for (const char* words :
       {"exceeds the total limit of containers", "exceeded its local ephemeral storage limit",
        "Usage of EmptyDir volume"}) {
    if (message.find(words) != std::string_view::npos) return true;
  }
  return false;
}

std::string with_message(std::string_view text, std::string_view message) {
  const std::string line = support::one_line(message);
  return line.empty() ? std::string(text) : fmt::format("{}: {}", text, line);
}

template <std::size_t Size>
std::optional<Cause> look_up(const std::array<Words, Size>& table, std::string_view reason,
                             std::string_view message) {
  for (const Words& words : table) {
    if (words.reason != reason) continue;
    return Cause{.text = with_message(words.text, message), .hint = std::string(words.hint)};
  }
  return std::nullopt;
}

/// Berth's own way to end a pod, see k_lease_volume.
bool is_own_end(std::string_view reason, std::string_view message) {
  return reason == "Evicted" &&
         message.find(fmt::format("EmptyDir volume \"{}\"", k_lease_volume)) != message.npos;
}

std::optional<Cause> of_own_disk(std::string_view reason, std::string_view message) {
  if (is_own_end(reason, message)) {
    return Cause{.text =
                     "ended itself: its agents had not heard of this runner for longer than "
                     "`orphan_timeout`, or its deadline had passed",
                 .hint = k_retry};
  }
  if (reason != "Evicted" || !is_own_disk_limit(message)) return std::nullopt;
  return Cause{.fault = Fault::job,
               .text = with_message("used more disk than it may", message),
               .hint = "raise `ephemeral_storage_limit`, or let the job write less"};
}

Cause of_disruption(const PodState& pod) {
  if (auto known = look_up(k_disruptions, pod.disruption_reason, pod.disruption_message)) {
    // What the kubelet writes beside it says more.
    if (!pod.message.empty() && pod.disruption_message.empty())
      known->text = with_message(known->text, pod.message);
    return *known;
  }
  return {
      .text = with_message("was disrupted (" + pod.disruption_reason + ")", pod.disruption_message),
      .hint = k_retry};
}

}  // namespace

std::string explain(const ContainerState& container) {
  if (container.could_not_start()) return with_message("could not be started", container.message);
  if (container.reason == "OOMKilled") return "ran out of memory and was killed";
  std::string text = fmt::format("ended with exit code {}", container.exit_code);
  if (!container.reason.empty() && container.reason != "Error" && container.reason != "Completed")
    text += ": " + container.reason;
  return with_message(text, container.message);
}

std::optional<Cause> cause_of_pod_end(const std::optional<PodState>& pod, std::string_view uid) {
  if (!pod) {
    return Cause{.text = "is gone: its pod was deleted by somebody else",
                 .hint =
                     "look who deletes pods in that namespace: an operator, a quota job, a "
                     "node's drain"};
  }
  if (!uid.empty() && pod->uid != uid)
    return Cause{.text = "is gone: another pod of that name stands there"};
  // Too much of its own disk is marked as a disruption by the kubelet too.
  if (auto cause = of_own_disk(pod->reason, pod->message)) return cause;
  if (!pod->disruption_reason.empty()) return of_disruption(*pod);
  if (!pod->reason.empty()) {
    if (auto known = look_up(k_reasons, pod->reason, pod->message)) return known;
    if (pod->phase == "Failed")
      return Cause{
          .text = with_message("was refused by its node (" + pod->reason + ")", pod->message),
          .hint = k_retry};
  }
  if (pod->being_deleted) {
    return Cause{.text = "is being ended: somebody deletes its pod", .hint = k_retry};
  }
  return std::nullopt;
}

std::optional<Cause> cause_of_end(const std::optional<PodState>& pod, std::string_view uid,
                                  std::string_view container) {
  auto of_pod = cause_of_pod_end(pod, uid);
  const bool same = pod && (uid.empty() || pod->uid == uid);
  const ContainerState* own = same ? pod->find(container) : nullptr;
  // Memory is the container's own limit, whatever becomes of the pod then.
  if (own != nullptr && own->terminated() && own->reason == "OOMKilled" &&
      (!of_pod || pod->being_deleted)) {
    // What the helper does with a job's files is no doing of its author.
    const bool helper = container == k_helper_container;
    return Cause{.fault = helper ? Fault::operator_ : Fault::job,
                 .text = "ran out of memory and was killed",
                 .hint = helper ? "raise `helper_memory_limit`"
                                : "raise `memory_limit`, or let the job use less",
                 .out_of_memory = true};
  }
  if (of_pod) return of_pod;
  if (own != nullptr && own->terminated()) return Cause{.text = explain(*own), .tentative = true};
  if (pod->ended())
    return Cause{.text = with_message("is gone: its pod ended", pod->message), .hint = k_retry};
  return std::nullopt;
}

std::optional<Cause> cause_of_events(const std::vector<PodEvent>& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (auto cause = of_own_disk(event->reason, event->message)) return cause;
    if (auto known = look_up(k_reasons, event->reason, event->message)) return known;
  }
  return std::nullopt;
}

void throw_cause(const Cause& cause, const std::string& subject, const std::string& appendix) {
  const std::string message = (subject.empty() ? "" : subject + " ") + cause.text + appendix;
  switch (cause.fault) {
    case Fault::job:
      throw support::JobError(message, cause.hint);
    case Fault::operator_:
      throw support::OperatorError(message, cause.hint);
    case Fault::infrastructure:
      break;
  }
  throw support::SystemError(message, cause.hint);
}

}  // namespace berth::kubernetes
