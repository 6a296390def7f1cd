#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/environments/deployment.hpp"
#include "executor/environments/ledger.hpp"
#include "executor/environments/workloads/comparison.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/console.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// What operators do with an environment's workloads, outside of any job.
namespace berth::app {

struct EnvAction {
  const settings::Settings& settings;
  support::Console& console;
  /// Path of the project whose environment it is.
  std::string project{};
  std::string environment{};
  /// The operator's account.
  std::string user{};
  std::stop_token stop{};
};

/// What a deployment changed against the last good one before it; or what lies between two.
/// `history` newest first. Without `number` the newest. Throws OperatorError for numbers
/// that are not recorded. Pure.
std::vector<environments::workloads::Difference> recorded_diff(
    const std::vector<environments::Deployment>& history, std::optional<std::int64_t> number,
    std::optional<std::int64_t> other);

/// An environment may have moved; "" is any.
struct Where {
  std::string cluster{};
  std::string name_space{};
};

/// That of the deployment, as far as its record says.
Where place_of(const environments::Deployment& deployment);

/// The last deployment that went well and left workloads; `before` another one's number where
/// not 0. Null: there is none. Pure.
const environments::Deployment* last_good(const std::vector<environments::Deployment>& history,
                                          std::int64_t before, const Where& where = {});

/// The last good deployment's record against what runs. Throws OperatorError where nothing
/// is recorded or the cluster cannot be read.
std::vector<environments::workloads::Difference> env_drift(const EnvAction& action);

// Each takes the environment's lock, records itself as a deployment, and gives the record as
// it ended: its result says whether it went well. All throw what Ledger and Client throw,
// environments::Refusal where the environment is locked, and support::Cancelled.

/// Applies what deployment `number` left; 0: the last good one before the newest, at the same
/// place.
environments::Deployment env_rollback(const EnvAction& action, std::int64_t number);
/// Sets the images with which the project's last good deployment of `source` passed.
environments::Deployment env_promote(const EnvAction& action, const std::string& source);
/// Removes the namespace of a review environment.
environments::Deployment env_stop(const EnvAction& action);

/// Ends review environments whose time is over, with the kubeconfigs of the rules that make
/// them. Trouble with one cluster is a warning.
std::vector<core::Garbage> end_expired_reviews(const settings::Settings& settings, bool dry_run,
                                               support::Console& console, std::stop_token stop);

}  // namespace berth::app
