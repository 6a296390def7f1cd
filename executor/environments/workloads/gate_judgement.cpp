#include "executor/environments/workloads/gate.hpp"
#include "executor/kubernetes/api/pull_trouble.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

/// Gate's judgement of single objects: from evidence to causes in words.
namespace berth::environments::workloads {
namespace {

using Running = ContainerView::Phase;
using support::one_line;

std::string called(const ContainerView& container, const PodView& pod) {
  return fmt::format("{}container '{}' of pod '{}'", container.init ? "init " : "", container.name,
                     pod.name);
}

bool is_start_error(const std::string& reason) {
  return reason == "StartError" || reason == "ContainerCannotRun" || reason == "RunContainerError";
}

bool is_config_trouble(const std::string& reason) {
  return reason == "CreateContainerConfigError" || reason == "CreateContainerError";
}

/// How its last run ended, whichever of the two states has it.
struct End {
  bool known = false;
  std::string reason{};
  std::string message{};
  int code = 0;
  /// It is the run before the present state, as logs with `previous` show it.
  bool previous = false;
};

End last_end(const ContainerView& container) {
  if (container.phase == Running::terminated)
    return {true, container.reason, container.message, container.exit_code, false};
  if (container.ended_before)
    // A container that waits to be started again has its last run as the present one.
    return {true, container.last_reason, container.last_message, container.last_exit_code,
            container.phase == Running::running};
  return {};
}

Failure about(Trouble trouble, const Id& workload, const PodView& pod,
              const ContainerView& container) {
  return {.trouble = trouble,
          .workload = workload,
          .pod = pod.name,
          .container = container.name,
          .previous = last_end(container).previous};
}

Failure pull_failure(const Id& workload, const PodView& pod, const ContainerView& container) {
  const std::string words = kubernetes::registry_words(container.message);
  const bool denied = kubernetes::is_about_login(words);
  Failure failure{.trouble = denied ? Trouble::pull_denied : Trouble::image_pull,
                  .workload = workload,
                  .text = fmt::format("{}: {} cannot get its image '{}': {}", workload.text(),
                                      called(container, pod), container.image,
                                      words.empty() ? container.reason : words)};
  if (container.reason == "ErrImageNeverPull") {
    failure.hint = "the node does not have it, and imagePullPolicy is Never";
  } else if (denied) {
    failure.hint =
        "check the image's name, and that the pods' imagePullSecrets have a login for its registry";
  } else {
    failure.hint = "check the image's name and tag, and that it was pushed";
  }
  return failure;
}

}  // namespace

std::optional<Failure> Gate::judge_container(const State& state, const PodView& pod,
                                             const ContainerView& container, TimePoint now) {
  const Id& id = state.subject.id;
  const std::string key = pod.uid + "/" + container.name;
  if (kubernetes::is_pull_trouble(container.reason)) {
    const bool certain = kubernetes::judge_pull(container.reason, container.message) ==
                         kubernetes::PullTrouble::final_;
    if (certain || lasts(key + "/pull", m_options.pull, now))
      return pull_failure(id, pod, container);
    return std::nullopt;
  }
  if (is_config_trouble(container.reason)) {
    if (!lasts(key + "/configuration", m_options.configuration, now)) return std::nullopt;
    Failure failure = about(Trouble::configuration, id, pod, container);
    failure.pod.clear();  // it has no log
    failure.text =
        fmt::format("{}: {} cannot be made: {}", id.text(), called(container, pod),
                    one_line(container.message.empty() ? container.reason : container.message));
    failure.hint = "make the Secret, ConfigMap or key that it names before the workload";
    return failure;
  }
  const End end = last_end(container);
  const bool cannot_start = is_start_error(container.reason) || is_start_error(end.reason);
  if (cannot_start && !container.running()) {
    Failure failure = about(Trouble::cannot_start, id, pod, container);
    failure.pod.clear();
    failure.text =
        fmt::format("{}: {} cannot be started: {}", id.text(), called(container, pod),
                    one_line(is_start_error(container.reason) ? container.message : end.message));
    failure.hint = "check `command` and `args`: the program must be in the image";
    return failure;
  }
  // A Job decides by itself how often its pods may fail.
  if (id.kind == Kind::job || !end.known || (container.running() && container.ready))
    return std::nullopt;
  const bool backs_off = container.reason == "CrashLoopBackOff";
  if (end.reason == "OOMKilled" && (backs_off || container.restarts >= m_options.crash_restarts)) {
    Failure failure = about(Trouble::out_of_memory, id, pod, container);
    failure.text = fmt::format("{}: {} runs out of memory and is killed again and again", id.text(),
                               called(container, pod));
    failure.hint = "raise resources.limits.memory of that container, or let it use less";
    return failure;
  }
  const bool down = backs_off || container.phase == Running::terminated;
  if (!down || container.restarts < m_options.crash_restarts) return std::nullopt;
  if (container.init && end.code == 0) return std::nullopt;
  Failure failure = about(Trouble::crash_loop, id, pod, container);
  failure.text = fmt::format("{}: {} ends again and again: exit code {}, {} starts", id.text(),
                             called(container, pod), end.code, container.restarts + 1);
  if (end.code == 0) {
    failure.hint = "its program ends by itself: it must stay in the foreground, or be a Job";
  } else if (const Told* told = told_of(pod.uid, "Unhealthy");
             told != nullptr && told->message.starts_with("Liveness")) {
    failure.text += "; " + told->message;
    failure.hint = "the kubelet ends what fails its liveness probe: check livenessProbe";
  }
  return failure;
}

std::optional<Failure> Gate::judge_pod(const State& state, const PodView& pod, TimePoint now) {
  const Id& id = state.subject.id;
  // An evicted pod is replaced by another.
  if (pod.ended() && id.kind != Kind::job) return std::nullopt;
  if (!pod.unscheduled.empty() && lasts(pod.uid + "/node", m_options.unschedulable, now)) {
    return Failure{.trouble = Trouble::unschedulable,
                   .workload = id,
                   .text = fmt::format("{}: no node for pod '{}': {}", id.text(), pod.name,
                                       one_line(pod.unscheduled)),
                   .hint =
                       "ask for less, or give the cluster more: check resources.requests, "
                       "nodeSelector, affinity, tolerations and volumes"};
  }
  for (const ContainerView& container : pod.containers) {
    if (auto failure = judge_container(state, pod, container, now)) return failure;
  }
  for (const char* reason : {"FailedMount", "FailedAttachVolume"}) {
    const Told* told = told_of(pod.uid, reason);
    const bool waits =
        std::any_of(pod.containers.begin(), pod.containers.end(), [](const ContainerView& one) {
          return one.reason == "ContainerCreating" || one.reason == "PodInitializing";
        });
    if (told == nullptr || !waits || !lasts(pod.uid + reason, m_options.configuration, now))
      continue;
    return Failure{.trouble = Trouble::configuration,
                   .workload = id,
                   .text = fmt::format("{}: pod '{}' waits for a volume: {}", id.text(), pod.name,
                                       told->message),
                   .hint = "make the Secret, ConfigMap or claim that it names before the workload"};
  }
  return std::nullopt;
}

std::optional<Failure> Gate::judge_refusal(const State& state, TimePoint now) {
  const Id& id = state.subject.id;
  std::string words = state.progress.refused;
  if (const Told* told = told_of(state.subject.uid, "FailedCreate");
      words.empty() && told != nullptr && state.progress.short_of_pods &&
      told->at >= state.workload->changed_at) {
    words = told->message;
  }
  if (words.empty()) return std::nullopt;
  const std::string key = fmt::format("{}/refused/{}", state.subject.uid, state.progress.mark);
  if (!lasts(key, m_options.refused, now)) return std::nullopt;
  const Trouble trouble = trouble_of_refusal(words);
  return Failure{
      .trouble = trouble,
      .workload = id,
      .text = fmt::format("{}: its pods are refused: {}", id.text(), words),
      .hint = trouble == Trouble::quota
                  ? "raise the namespace's quota, ask for less, or let an old pod go first "
                    "(maxUnavailable)"
                  : "the API server's admission says what must change in the pod's template"};
}

std::optional<Failure> Gate::explanation(const State& state) const {
  for (const PodView* pod : current_pods(state)) {
    for (const ContainerView& one : pod->containers) {
      const End end = last_end(one);
      if (kubernetes::is_pull_trouble(one.reason)) return pull_failure(state.subject.id, *pod, one);
      if (end.known && (end.code != 0 || one.reason == "CrashLoopBackOff") && !one.ready) {
        const bool memory = end.reason == "OOMKilled";
        Failure failure = about(memory ? Trouble::out_of_memory : Trouble::crash_loop,
                                state.subject.id, *pod, one);
        failure.text = memory
                           ? fmt::format("{} ran out of memory and was killed", called(one, *pod))
                           : fmt::format("{} ended with exit code {}", called(one, *pod), end.code);
        return failure;
      }
      if (one.running() && !one.ready && !one.init) {
        Failure failure = about(Trouble::readiness, state.subject.id, *pod, one);
        const Told* told = told_of(pod->uid, "Unhealthy");
        failure.text = fmt::format(
            "{} runs but is not ready{}", called(one, *pod),
            told != nullptr && !told->message.empty() ? ": " + told->message : std::string());
        failure.hint = "check readinessProbe, and what the container says in its log";
        return failure;
      }
    }
    if (!pod->unscheduled.empty()) {
      return Failure{
          .trouble = Trouble::unschedulable,
          .workload = state.subject.id,
          .text = fmt::format("no node for pod '{}': {}", pod->name, one_line(pod->unscheduled))};
    }
  }
  return std::nullopt;
}

std::optional<Failure> Gate::job_failure(const State& state, TimePoint now) {
  Failure failure = *state.progress.failure;
  // The youngest of its pods that failed.
  const PodView* last = nullptr;
  for (const PodView* pod : current_pods(state)) {
    if (pod->phase == "Failed" && (last == nullptr || pod->created >= last->created)) last = pod;
  }
  if (last == nullptr) {
    const bool may_come = !m_unseen.contains(Seen::pod) && now < m_deadline &&
                          !lasts(state.subject.uid + "/evidence", m_options.evidence, now);
    return may_come ? std::nullopt : std::optional(failure);
  }
  for (const ContainerView& one : last->containers) {
    const End end = last_end(one);
    if (!end.known || end.code == 0) continue;
    failure.pod = last->name;
    failure.container = one.name;
    failure.previous = end.previous;
    failure.text +=
        fmt::format("; {} {}", called(one, *last),
                    end.reason == "OOMKilled" ? std::string("ran out of memory and was killed")
                                              : fmt::format("ended with exit code {}", end.code));
    break;
  }
  return failure;
}

std::optional<Failure> Gate::judge(const State& state, TimePoint now) {
  const Id& id = state.subject.id;
  if (state.gone) {
    return Failure{.trouble = Trouble::gone,
                   .workload = id,
                   .text = id.text() + " was deleted while it was rolled out"};
  }
  if (!state.workload) return std::nullopt;
  const Progress& progress = state.progress;
  if (progress.failure) {
    if (progress.failure->trouble == Trouble::job_failed) return job_failure(state, now);
    if (progress.failure->trouble != Trouble::progress_deadline) return progress.failure;
    Failure failure = *progress.failure;
    if (auto why = explanation(state)) {
      const std::string front = failure.text;
      failure = *why;
      failure.text = front + "; " + why->text;
    }
    return failure;
  }
  if (!progress.observed) return std::nullopt;
  if (!progress.done) {
    if (auto failure = judge_refusal(state, now)) return failure;
  }
  if (id.kind == Kind::job && progress.done) return std::nullopt;
  for (const PodView* pod : current_pods(state)) {
    if (auto failure = judge_pod(state, *pod, now)) return failure;
  }
  return std::nullopt;
}

}  // namespace berth::environments::workloads
