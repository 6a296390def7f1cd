#pragma once

#include "executor/environments/workloads/gate.hpp"
#include "executor/environments/workloads/http_probe.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/support/console.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::environments::workloads {

struct Verdict {
  bool passed = false;
  /// What is wrong, where it did not pass.
  std::optional<Failure> failure{};
  /// The last lines of the log that tells more; may be empty.
  std::vector<std::string> log{};
  std::vector<std::string> notes{};

  /// "Deployment 'web': …" in one line, with the last words of its log.
  std::string cause() const;
};

struct GateRun {
  std::string name_space{};
  std::vector<Subject> subjects{};
  GateOptions options{};
  HttpProbe probe{};
};

/// Waits until what was deployed is healthy, or certainly will not be; judges nothing before
/// it has the first list of each kind that it may see. Progress goes to the
/// console as it happens, so do notes; the failure does not. Rights that are missing are
/// said once: with pods and events unseen, only what workloads say of themselves counts.
/// Throws as Client's methods do, and support::Cancelled.
Verdict run_gate(kubernetes::Client& client, const GateRun& run, support::Console& console,
                 std::stop_token stop);

/// The last lines of a failure's log; empty where it has none or may not be read.
std::vector<std::string> last_log_lines(kubernetes::Client& client, const std::string& name_space,
                                        const Failure& failure, std::stop_token stop);

}  // namespace berth::environments::workloads
