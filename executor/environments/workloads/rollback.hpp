#pragma once

#include "executor/environments/workloads/run_gate.hpp"
#include "executor/environments/workloads/workload.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/support/console.hpp"

#include <stop_token>
#include <string>
#include <vector>

/// Bringing back what a deployment's record says.
namespace berth::environments::workloads {

/// Whose fields they are that Berth has set.
inline constexpr const char* k_field_manager = "berth";

struct Reapply {
  Id id{};
  /// JSON, as Workload::manifest.
  std::string manifest{};
  /// A JSON patch that takes away what was added since (server-side apply leaves alone
  /// what others own); "" where nothing was.
  std::string removal{};
  bool operator==(const Reapply&) const = default;
};

struct RollbackPlan {
  std::vector<Reapply> steps{};
  /// In words: what stays as it is, and why.
  std::vector<std::string> left{};
};

/// What differs from the record is applied again, what is gone is made again. Jobs are
/// acts and never done again, what has an owner is the owner's, and what is new since is
/// left. Nothing but workloads is ever touched: no volume claim, no Secret. Pure.
RollbackPlan plan_rollback(const Snapshot& recorded, const Snapshot& live);

/// Whether the record has a manifest to apply: one that was too large for its ledger has
/// none, and then no rollback can be said to have done anything. Pure.
bool can_bring_back(const Snapshot& recorded);

/// What does not run with the images (and digests, as far as known) of the record; empty:
/// proved. Pure.
std::vector<std::string> unlike(const Snapshot& recorded, const Snapshot& live);

struct RollbackOutcome {
  RollbackPlan plan{};
  /// Read from the cluster, before and after.
  Snapshot before{};
  Snapshot after{};
  Verdict verdict{};
  /// Empty: what runs is what the record says.
  std::vector<std::string> unlike{};

  bool good() const { return verdict.passed && unlike.empty(); }
  /// One line; "" where it is good.
  std::string cause() const;
};

/// Applies the plan, waits at the gate, and reads the cluster again. `gate` gives the
/// options; its subjects are what was applied. Throws as Client's methods do (whatever was
/// applied by then stays), and OperatorError where nothing of the record can be applied. Doing it
/// again is safe.
RollbackOutcome roll_back(kubernetes::Client& client, const Snapshot& recorded, const GateRun& gate,
                          support::Console& console, std::stop_token stop);

}  // namespace berth::environments::workloads
