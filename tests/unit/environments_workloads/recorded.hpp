#pragma once

#include "executor/environments/workloads/gate.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

/// Rollouts as a 1.36 cluster had them when the gate gave its verdict: recorded/<name>.json,
/// written by tests/integration/environments/gate.py --record.
namespace berth::tests {

inline nlohmann::json recorded(const std::string& name) {
  const std::string path = std::string(BERTH_RECORDED) + "/" + name + ".json";
  return support::parse_json(support::read_file(path, std::size_t{4} << 20), path);
}

/// Where each kind's list is.
inline const std::vector<std::pair<environments::workloads::Seen, std::string>>& kinds() {
  using environments::workloads::Seen;
  static const std::vector<std::pair<Seen, std::string>> k_kinds = {
      {Seen::deployment, "deployments"},
      {Seen::stateful_set, "statefulsets"},
      {Seen::daemon_set, "daemonsets"},
      {Seen::job, "jobs"},
      {Seen::replica_set, "replicasets"},
      {Seen::event, "events"},
      {Seen::pod, "pods"}};
  return k_kinds;
}

struct Expected {
  std::string name{};
  /// "": it passes.
  std::string trouble{};
  /// Part of the cause.
  std::string cause{};
};

inline std::vector<Expected> the_twelve() {
  return {{"good", "", ""},
          {"slow_good", "", ""},
          {"bad_image", "image_pull", "cannot get its image 'berth-dev.invalid/none:1': "},
          {"pull_denied", "pull_denied", "cannot get its image '10.90.0.1:5401/private/app:1': "},
          {"crash_loop", "crash_loop", "ends again and again: exit code 3, 3 starts"},
          {"failing_readiness", "readiness", "runs but is not ready: Readiness probe failed"},
          {"out_of_memory", "out_of_memory", "runs out of memory"},
          {"quota", "quota", "its pods are refused: "},
          {"unschedulable", "unschedulable", "no node for pod"},
          {"failing_migration", "job_failed", "Job 'migrate' failed: BackoffLimitExceeded"},
          {"immutable_job", "immutable_job", "Job 'migrate' was not run again"},
          {"paused", "paused", "Deployment 'web' is paused"}};
}

}  // namespace berth::tests
