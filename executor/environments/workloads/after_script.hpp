#pragma once

#include "executor/environments/workloads/access.hpp"
#include "executor/environments/workloads/rollback.hpp"
#include "executor/environments/workloads/run_gate.hpp"
#include "executor/environments/workloads/workload.hpp"
#include "executor/support/console.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// What becomes of a deployment's workloads around its script: looked at before, looked at
/// after, waited for, brought back.
namespace berth::environments::workloads {

/// A client for the target; short of patience, since a job waits. `console` is told when
/// calls start to be repeated, and outlives the client.
std::unique_ptr<kubernetes::Client> connect(Target target, support::Console& console);

struct AfterScript {
  /// Nothing: what stood there before is not known, and so is not what the script changed.
  std::optional<Snapshot> before{};
  /// Without `before`: by the cluster's clock, in seconds since the epoch; what was changed
  /// from then on counts as the script's doing. 0: nothing does.
  std::int64_t changed_since = 0;
  /// Without `before`: what the last good deployment left there, by its record.
  std::optional<Snapshot> recorded{};
  bool script_failed = false;
  /// ScriptOutput::immutable_jobs().
  std::vector<std::string> immutable_jobs{};
  bool gate_wanted = true;
  GateOptions gate{};
  HttpProbe probe{};
  /// Bring back what stood there before when the script or the gate fails.
  bool roll_back = false;
};

struct Conclusion {
  bool passed = false;
  /// One line, and what to do; empty where it passed.
  std::string cause{};
  std::string hint{};
  /// Trouble's word; empty for a failed script.
  std::string trouble{};
  /// What `after` is compared to; nothing: what stood there before is not known.
  std::optional<Snapshot> before{};
  /// At the end: of a rollback, what it left.
  Snapshot after{};
  std::vector<Difference> differences{};
  /// What was tried to bring it back, and whether it was proved.
  bool rolled_back = false;
  std::optional<RollbackOutcome> rollback{};
};

/// Looks at the namespace, says what changed, waits at the gate, and rolls back where that
/// is wanted. Rights that are missing are said, and it goes on; where they were there before
/// the script, and a gate is wanted, it throws JobError. Throws as Client's methods do, but
/// for a rollback's trouble, which is told; and support::Cancelled.
Conclusion conclude(kubernetes::Client& client, const std::string& name_space,
                    const AfterScript& script, support::Console& console, std::stop_token stop);

}  // namespace berth::environments::workloads
