#include "executor/kubernetes/garbage.hpp"

#include "executor/core/overdue.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/kubernetes/removal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace berth::kubernetes {

std::string reason_to_remove(
    const PodTrace& pod, std::int64_t now,
    const std::function<bool(const std::string&, const std::string&)>& tmpdir_gone) {
  // What this host can see of its own attempts, is_dead() judges.
  const bool gone = !pod.tmpdir.empty() && tmpdir_gone(pod.host, pod.tmpdir);
  const bool dead = is_dead(pod, now, [&](const std::string&) { return !gone; });
  if (dead && gone) return fmt::format("the job is over: its directory '{}' is gone", pod.tmpdir);
  if (dead && !pod.ended) {
    return fmt::format("the job's pod had not started by {}", core::utc_minute(pod.start_by));
  }
  if (dead && pod.ended_at > 0) {
    return fmt::format("all containers of the job had ended at {}", core::utc_minute(pod.ended_at));
  }
  if (dead) return "the job's pod has ended";
  if (!pod.attempt.empty() && !pod.being_deleted && core::is_overdue(pod.deadline, now)) {
    return fmt::format("the job's deadline passed at {}", core::utc_minute(pod.deadline));
  }
  return {};
}

std::vector<core::Garbage> collect_pods(
    Client& client, const std::string& name_space, std::optional<std::int64_t> grace, bool dry_run,
    std::int64_t now,
    const std::function<bool(const std::string&, const std::string&)>& tmpdir_gone,
    std::stop_token stop) {
  std::vector<core::Garbage> all;
  const nlohmann::json list =
      client.list(resources::k_pods, name_space, {.label = any_attempt_selector()}, stop);
  for (const nlohmann::json& item : list.at("items")) {
    const PodTrace pod = parse_pod_trace(item);
    core::Garbage one{.kind = "pod",
                      .name = name_space + "/" + pod.name,
                      .reason = reason_to_remove(pod, now, tmpdir_gone)};
    if (one.reason.empty()) continue;
    if (!dry_run) {
      const auto report = remove_pod(client, name_space, pod.name, pod.uid, grace, stop);
      one.failure = fmt::format("{}", fmt::join(report.failures, "; "));
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace berth::kubernetes
