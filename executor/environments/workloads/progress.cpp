#include "executor/environments/workloads/progress.hpp"

#include "executor/environments/workloads/json_reading.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

Id id_of(Kind kind, const json& object) {
  return {kind, word(member(object, "metadata"), "name")};
}

bool holds(const json& object, const char* type) {
  return word(condition(object, type), "status") == "True";
}

std::string message_of(const json& object, const char* type) {
  return support::one_line(word(condition(object, type), "message"));
}

/// A number's pods, with the word in its number.
std::string pods(std::int64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "pod" : "pods");
}

void judge_deployment(const json& object, Progress& progress) {
  const json& spec = member(object, "spec");
  const json& status = member(object, "status");
  const Id id = id_of(Kind::deployment, object);
  const std::int64_t wanted = number(spec, "replicas", 1);
  const std::int64_t all = number(status, "replicas");
  const std::int64_t updated = number(status, "updatedReplicas");
  const std::int64_t available = number(status, "availableReplicas");
  progress.done = updated == wanted && all == updated && available == wanted;
  progress.short_of_pods = updated < wanted;
  progress.mark = updated;
  if (is_true(spec, "paused") && updated < wanted) {
    progress.failure = Failure{
        .trouble = Trouble::paused,
        .workload = id,
        .text = fmt::format("{} is paused: {} of {} run what was deployed, and no more will",
                            id.text(), updated, pods(wanted)),
        .hint = fmt::format("`kubectl rollout resume deployment/{}`, or take `paused: true` out of "
                            "its manifest",
                            id.name)};
    return;
  }
  if (updated < wanted) {
    progress.text = fmt::format("{} of {} new", updated, pods(wanted));
  } else if (all > updated) {
    progress.text =
        fmt::format("{} of {} new, {} old to end", updated, pods(wanted), all - updated);
  } else {
    progress.text = fmt::format("{} of {} new, {} ready", updated, pods(wanted), available);
  }
  if (holds(object, "ReplicaFailure")) progress.refused = message_of(object, "ReplicaFailure");
  const json& progressing = condition(object, "Progressing");
  if (!progress.done && word(progressing, "status") == "False" &&
      word(progressing, "reason") == "ProgressDeadlineExceeded") {
    progress.failure = Failure{
        .trouble = Trouble::progress_deadline,
        .workload = id,
        .text = fmt::format("{} made no progress for {} s (progressDeadlineSeconds): {}", id.text(),
                            number(spec, "progressDeadlineSeconds", 600), progress.text)};
  }
}

void judge_stateful_set(const json& object, Progress& progress) {
  const json& spec = member(object, "spec");
  const json& status = member(object, "status");
  const json& strategy = member(spec, "updateStrategy");
  const std::int64_t wanted = number(spec, "replicas", 1);
  const std::int64_t ready = number(status, "readyReplicas");
  const std::int64_t updated = number(status, "updatedReplicas");
  const std::int64_t partition = number(member(strategy, "rollingUpdate"), "partition");
  const bool by_hand = word(strategy, "type") == "OnDelete";
  // Pods below the partition stay as they are, and of OnDelete all of them.
  const std::int64_t to_update = by_hand ? 0 : std::max<std::int64_t>(0, wanted - partition);
  const bool revised = to_update < wanted ||
                       word(status, "currentRevision") == word(status, "updateRevision") ||
                       word(status, "updateRevision").empty();
  const std::int64_t made = number(status, "replicas");
  progress.done = updated >= to_update && ready >= wanted && revised && made >= wanted;
  progress.short_of_pods = made < wanted;
  progress.mark = made;
  progress.text = fmt::format("{} of {} new, {} of {} ready", std::min(updated, to_update),
                              pods(to_update), ready, wanted);
  if (by_hand)
    progress.text = fmt::format(
        "{} of {} ready; its pods are replaced only when somebody deletes "
        "them (updateStrategy OnDelete)",
        ready, pods(wanted));
}

void judge_daemon_set(const json& object, Progress& progress) {
  const json& status = member(object, "status");
  const bool by_hand = word(member(member(object, "spec"), "updateStrategy"), "type") == "OnDelete";
  const std::int64_t wanted = number(status, "desiredNumberScheduled");
  const std::int64_t updated = number(status, "updatedNumberScheduled");
  const std::int64_t available = number(status, "numberAvailable");
  const std::int64_t made = number(status, "currentNumberScheduled");
  progress.done = (by_hand || updated >= wanted) && available >= wanted;
  progress.short_of_pods = made < wanted;
  progress.mark = made;
  progress.text = fmt::format("{} of {} new, {} ready", updated, pods(wanted), available);
  if (by_hand)
    progress.text = fmt::format(
        "{} of {} ready; its pods are replaced only when somebody deletes "
        "them (updateStrategy OnDelete)",
        available, pods(wanted));
}

void judge_job(const json& object, Progress& progress) {
  const json& status = member(object, "status");
  const Id id = id_of(Kind::job, object);
  const std::int64_t failed = number(status, "failed");
  progress.observed = true;  // Jobs have no observedGeneration
  progress.done = holds(object, "Complete");
  progress.mark = number(status, "active") + number(status, "succeeded") + failed;
  progress.short_of_pods = progress.mark == 0;
  for (const char* end : {"Failed", "FailureTarget"}) {
    if (!holds(object, end)) continue;
    std::string why = word(condition(object, end), "reason");
    if (const std::string words = message_of(object, end); !words.empty())
      why += (why.empty() ? "" : ": ") + words;
    progress.failure =
        Failure{.trouble = Trouble::job_failed,
                .workload = id,
                .text = fmt::format("{} failed{}{}", id.text(), why.empty() ? "" : ": ", why),
                .hint = "what it began is not undone: look at its log before it runs again"};
    return;
  }
  if (is_true(member(object, "spec"), "suspend")) {
    progress.text = "suspended";
  } else {
    progress.text =
        fmt::format("{} running, {} of {} done{}", number(status, "active"),
                    number(status, "succeeded"), number(member(object, "spec"), "completions", 1),
                    failed > 0 ? fmt::format(", {} failed", failed) : std::string());
  }
}

}  // namespace

std::string_view to_string(Trouble trouble) {
  constexpr std::array<std::string_view, 18> k_words = {
      "image_pull",    "pull_denied",   "crash_loop", "out_of_memory",     "cannot_start",
      "configuration", "quota",         "refused",    "unschedulable",     "readiness",
      "job_failed",    "immutable_job", "paused",     "progress_deadline", "timeout",
      "gone",          "probe",         "unstable"};
  return k_words.at(static_cast<std::size_t>(trouble));
}

Trouble trouble_of_refusal(const std::string& words) {
  return words.find("exceeded quota") != std::string::npos ||
                 words.find("failed quota") != std::string::npos
             ? Trouble::quota
             : Trouble::refused;
}

Progress judge_progress(Kind kind, const json& object) {
  Progress progress;
  progress.observed = number(member(object, "status"), "observedGeneration") >=
                      number(member(object, "metadata"), "generation");
  switch (kind) {
    case Kind::deployment:
      judge_deployment(object, progress);
      break;
    case Kind::stateful_set:
      judge_stateful_set(object, progress);
      break;
    case Kind::daemon_set:
      judge_daemon_set(object, progress);
      break;
    case Kind::job:
      judge_job(object, progress);
      return progress;
    case Kind::cron_job:
      // It runs when its time comes.
      progress.observed = true;
      progress.done = true;
      return progress;
  }
  if (!progress.observed) {
    // The status is about what the manifest said before.
    progress.done = false;
    progress.failure.reset();
    progress.refused.clear();
    progress.text = "its controller has not seen it yet";
  }
  return progress;
}

}  // namespace berth::environments::workloads
