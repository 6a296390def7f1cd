#pragma once

#include "executor/environments/workloads/failure.hpp"
#include "executor/environments/workloads/workload.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>

/// How far a workload is on its way to what its manifest says, from its object alone; as
/// `kubectl rollout status` and `kubectl wait` judge it. Pure.
namespace berth::environments::workloads {

struct Progress {
  bool done = false;
  /// Its controller has seen what the manifest says now: pods can be judged.
  bool observed = false;
  /// "1 of 3 pods are new, 0 of them ready"
  std::string text{};
  /// What is already certain.
  std::optional<Failure> failure{};
  /// Pods are wanted that its controller has not made.
  bool short_of_pods = false;
  /// The controller cannot make pods: its words. It may still come to do so.
  std::string refused{};
  /// Changes whenever it gets further.
  std::int64_t mark = 0;
};

Progress judge_progress(Kind kind, const nlohmann::json& object);

/// What words of an admission are about: quota, or another refusal.
Trouble trouble_of_refusal(const std::string& words);

}  // namespace berth::environments::workloads
