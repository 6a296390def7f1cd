#pragma once

#include "executor/environments/ledger.hpp"
#include "executor/environments/request.hpp"
#include "executor/settings/environments.hpp"
#include "executor/support/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Whether a job may touch an environment. Pure, but for the system's time zones.
namespace berth::environments {

/// "No, and this is why": which rule, of which name, and when it will pass.
class Refusal : public support::JobError {
 public:
  Refusal(std::string rule, const std::string& message, std::string hint)
      : JobError(message, std::move(hint)), m_rule(std::move(rule)) {}

  /// Key of the rule that is in the way: "freeze", "users", ...
  const std::string& rule() const noexcept { return m_rule; }

 private:
  std::string m_rule;
};

/// What the ledger knows that a decision needs.
struct Known {
  /// Newest first.
  std::vector<Deployment> history{};
  std::vector<Approval> approvals{};
  std::optional<ManualLock> manual{};
};

struct Decision {
  /// The reason given for breaking the glass, where windows would refuse.
  std::string break_glass{};
  /// Which approvals count.
  std::vector<std::string> approved_by{};
  /// The number of the deployment that this one goes back to, where it does.
  std::int64_t of_number = 0;
  bool operator==(const Decision&) const = default;
};

/// Who may touch the environment at all: projects, refs, users, sources. For every
/// action, since each job of an environment gets its credentials. Throws Refusal.
void check_access(const settings::EnvironmentRule& rule, const Request& request);

/// Everything, for actions that deploy: access, a lock by hand, windows, the outdated
/// guard and approvals, in that order. `reason` is the value of the break-glass
/// variable, "" where the job has none; `now` in seconds since the epoch. Throws
/// Refusal.
Decision decide(const settings::EnvironmentRule& rule, const Request& request,
                const std::string& reason, const Known& known, std::int64_t now);

/// The reason that a job gives for breaking the glass: the last definition, as GitLab
/// means it, since it is the pipeline's word by intention. "" without such a rule.
std::string break_glass_reason(const settings::EnvironmentRule& rule,
                               const core::Variables& variables);

}  // namespace berth::environments
