#pragma once

#include "executor/environments/workloads/rollback.hpp"

#include <stop_token>
#include <string>
#include <vector>

/// Taking the images that one environment's deployment passed with to another, unbuilt.
namespace berth::environments::workloads {

struct ImageStep {
  Id id{};
  std::string container{};
  std::string from{};
  /// As the source's manifest names it.
  std::string to{};
  /// What the source ran, and so must the target.
  std::string digest{};
  bool operator==(const ImageStep&) const = default;
};

struct PromotionPlan {
  /// Containers whose image is to change.
  std::vector<ImageStep> steps{};
  /// All containers that both have: what must run in the end.
  std::vector<ImageStep> wanted{};
  /// Workloads and containers that stand on one side alone, in words.
  std::vector<std::string> left{};
  /// Why it cannot be proved: images of the source without a digest.
  std::vector<std::string> unproved{};
};

/// By kind, name and container. Jobs are left out. Pure.
PromotionPlan plan_promotion(const Snapshot& source, const Snapshot& target);

/// What the target runs that is not what passed in the source, in words; empty: proved.
/// Pure.
std::vector<std::string> unlike(const PromotionPlan& plan, const Snapshot& live);

struct PromotionOutcome {
  PromotionPlan plan{};
  Snapshot before{};
  Snapshot after{};
  Verdict verdict{};
  std::vector<std::string> unlike{};

  bool good() const { return verdict.passed && unlike.empty(); }
  std::string cause() const;
};

/// Sets the images in `name_space`, waits at the gate, and compares the digests that run.
/// `source` is what the source's last good deployment left. Throws JobError where a digest
/// is not known, and as Client's methods do.
PromotionOutcome promote(kubernetes::Client& client, const Snapshot& source,
                         const std::string& name_space, const GateRun& gate,
                         support::Console& console, std::stop_token stop);

}  // namespace berth::environments::workloads
