#include "executor/kubernetes/removal.hpp"

#include "executor/core/overdue.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"
#include "executor/support/retry.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <sys/stat.h>

namespace berth::kubernetes {
namespace {

constexpr std::int64_t k_settled_after = 60;
/// A label pass that keeps failing must not go round for ever.
constexpr unsigned k_most_passes = 10;

bool exists(const std::string& path) {
  struct stat unused {};
  return ::lstat(path.c_str(), &unused) == 0 || errno != ENOENT;
}

std::vector<PodTrace> find_pods(Client& client, const std::string& name_space,
                                const std::string& selector, const std::stop_token& stop) {
  const nlohmann::json list = client.list(resources::k_pods, name_space, {.label = selector}, stop);
  std::vector<PodTrace> pods;
  for (const nlohmann::json& pod : list.at("items")) pods.push_back(parse_pod_trace(pod));
  return pods;
}

}  // namespace

std::optional<std::int64_t> deletion_grace(const settings::Kubernetes& settings) {
  if (settings.cleanup_grace_period) return settings.cleanup_grace_period->count();
  if (settings.pod_termination_grace_period || !settings.container_lifecycle.empty()) {
    return std::nullopt;
  }
  return 1;
}

core::CleanupReport remove_pod(Client& client, const std::string& name_space,
                               const std::string& name, const std::string& uid,
                               std::optional<std::int64_t> grace, std::stop_token stop) {
  core::CleanupReport report;
  try {
    const Deletion deletion =
        client.remove(resources::k_pods, name_space, name,
                      {.grace_seconds = grace, .uid = uid, .propagation = "Background"}, stop);
    if (deletion == Deletion::started) report.removed = 1;
  } catch (const ApiError& error) {
    // Another pod has the name: ours is gone.
    if (!uid.empty() && error.conflict()) return report;
    report.failures.emplace_back(error.what());
  }
  return report;
}

core::CleanupReport remove_by_labels(Client& client, const std::string& name_space,
                                     const std::string& selector, std::optional<std::int64_t> grace,
                                     std::chrono::milliseconds pause, std::stop_token stop) {
  core::CleanupReport report;
  unsigned empty_passes = 0;
  for (unsigned pass = 0; empty_passes < 2 && pass < k_most_passes; ++pass) {
    if (pass > 0 && !support::sleep_for(pause, stop)) throw support::Cancelled();
    ++empty_passes;
    // What failed is tried again; only the last pass's failures stand.
    report.failures.clear();
    for (const PodTrace& pod : find_pods(client, name_space, selector, stop)) {
      if (pod.being_deleted) continue;
      empty_passes = 0;
      core::CleanupReport one = remove_pod(client, name_space, pod.name, pod.uid, grace, stop);
      report.removed += one.removed;
      for (std::string& failure : one.failures) report.failures.push_back(std::move(failure));
    }
  }
  return report;
}

bool is_dead(const PodTrace& pod, std::int64_t now,
             const std::function<bool(const std::string&)>& directory_exists) {
  if (pod.attempt.empty() || pod.being_deleted) return false;
  if (!pod.tmpdir.empty() && !directory_exists(pod.tmpdir)) return true;
  // A living driver would have given it up, on any machine's clock.
  if (!pod.started && core::is_overdue(pod.start_by, now)) return true;
  return pod.ended && now - pod.ended_at >= k_settled_after;
}

unsigned sweep(Client& client, const std::string& name_space, std::string_view host,
               std::string_view own, std::optional<std::int64_t> grace, std::int64_t now,
               std::stop_token stop) {
  unsigned removed = 0;
  try {
    for (const PodTrace& pod : find_pods(client, name_space, host_selector(host), stop)) {
      if (pod.attempt == own || !is_dead(pod, now, exists)) continue;
      const auto report = remove_pod(client, name_space, pod.name, pod.uid, grace, stop);
      removed += report.removed;
      for (const std::string& failure : report.failures) {
        support::log(support::LogLevel::warn, "sweep: " + failure);
      }
    }
  } catch (const support::Error& error) {
    support::log(support::LogLevel::warn, std::string("sweep: ") + error.what());
  }
  return removed;
}

}  // namespace berth::kubernetes
