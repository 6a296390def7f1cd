#pragma once

#include "executor/app/stage_work.hpp"
#include "executor/core/exit_status.hpp"
#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/settings/settings.hpp"

#include <memory>
#include <stop_token>

/// What the stages do for a job that has an `environment:`. Nothing, and no call, where the
/// settings have no section `environments` or the job has none.
namespace berth::app {

/// A deployment whose job is being prepared: it has the environment's lock.
class EnteredEnvironment {
 public:
  virtual ~EnteredEnvironment() = default;

  /// Stops where the job is cancelled, and where the lock was lost.
  virtual std::stop_token stop() const = 0;
  /// Throws SystemError where the lock was lost.
  virtual void check() const = 0;
  /// The job has its containers: the deployment is recorded as begun. Throws as check().
  virtual void begin() = 0;
};

/// Decides about the job by the rules of its environment, and waits for the lock. Null for
/// a job that is no deployment. Throws environments::Refusal, which says why, and what
/// Ledger throws; then nothing is held.
std::unique_ptr<EnteredEnvironment> enter_environment(const StageInput& input,
                                                      const settings::Settings& settings,
                                                      const core::Job& job,
                                                      const core::JobSpec& plan);

/// The job's script has ended so: records what became of the deployment. Gives back how the
/// stage ends: the same, or a failure where the deployment did not come to life.
core::ExitStatus conclude_script(const StageInput& input, const core::ExitStatus& status);

/// The job is over: records what nobody has recorded, and gives the lock back, unless
/// containers of the job may still run (`all_removed` false): then it ends by itself.
void leave_environment(const StageInput& input, const settings::Settings& settings,
                       bool all_removed);

}  // namespace berth::app
