#pragma once

#include "executor/core/planner.hpp"
#include "executor/gitlab/environment.hpp"
#include "executor/support/clock.hpp"

#include <filesystem>

namespace berth::state {

/// Who this attempt is, with a new random name. Makes state_dir if it is
/// missing. Throws OperatorError where it cannot, SystemError without TMPDIR.
core::Identity new_identity(const gitlab::RunnerEnvironment& environment,
                            const std::filesystem::path& state_dir, const support::Clock& clock);

/// Plans the job and writes plan.json, in place of one that may be there.
core::JobSpec make_plan(const core::Job& job, const core::Policy& policy,
                        const gitlab::RunnerEnvironment& environment,
                        const std::filesystem::path& state_dir, const support::Clock& clock);

/// The plan that config made, or a new one where config_exec is not configured.
core::JobSpec read_or_make_plan(const core::Job& job, const core::Policy& policy,
                                const gitlab::RunnerEnvironment& environment,
                                const std::filesystem::path& state_dir,
                                const support::Clock& clock);

}  // namespace berth::state
