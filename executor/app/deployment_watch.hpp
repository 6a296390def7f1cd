#pragma once

#include "executor/app/stage_work.hpp"
#include "executor/core/exit_status.hpp"
#include "executor/core/job.hpp"
#include "executor/environments/ledger.hpp"
#include "executor/environments/request.hpp"
#include "executor/settings/settings.hpp"

#include <string>

/// Looking at what a deployment's script does to its cluster.
namespace berth::app {

/// Before the script of a start: a review environment's namespace is made, and what stands
/// in the environment's is kept in TMPDIR. Says why nobody looks, where no kubeconfig is
/// known or it cannot be used. Throws environments::workloads::WrongTarget where the job is
/// about to deploy to another place than its environment's, what hinders a review
/// environment, and support::Cancelled.
void look_before(const StageInput& given, const settings::Settings& settings,
                 const settings::EnvironmentRule& rule, const environments::Request& request,
                 const core::Job& job);

/// How a deployment ends.
struct LookedAfter {
  environments::Conclusion conclusion{};
  /// What to do, for people; may be empty.
  std::string hint{};
};

/// After the script: tells what it changed, waits until that is healthy, and brings back
/// what was there before where the rule says so; after a stop, removes a review
/// environment's namespace. `conclusion` is what the script's own end
/// says; where nobody can look it stays as it is. What the job was given in
/// confidence is in no word of it. Throws support::Cancelled, and what reading the job's payload
/// throws.
LookedAfter look_after(const StageInput& input, const settings::Settings& settings,
                       const std::string& environment, environments::Conclusion conclusion);

}  // namespace berth::app
