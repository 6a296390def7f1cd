#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/job_secrets.hpp"
#include "executor/credentials/recognition.hpp"
#include "executor/settings/credentials.hpp"

#include <chrono>
#include <string>
#include <vector>

/// What becomes of the credentials of a job.
namespace berth::credentials {

/// One line for the job log per credential, and a warning for each that will not work,
/// or will not in 14 days. Throws JobError for one that does not work where the
/// settings say `on_invalid: fail`.
void report(const std::vector<RecognisedVariable>& variables, const settings::Credentials& settings,
            std::chrono::sys_seconds now, core::Console& console);

/// Files, variables, masks and changes for the job's containers; with no credential:
/// nothing. `expanded` says what the job has set itself. A variable that tools look at
/// is exported only where one credential alone fits it.
core::JobSecrets make_job_secrets(const std::vector<RecognisedVariable>& variables,
                                  const core::Variables& expanded, const core::JobSpec& spec,
                                  const settings::Credentials& settings);

/// All of it, for prepare.
core::JobSecrets job_secrets(const core::Job& job, const core::Variables& expanded,
                             const core::JobSpec& spec, const settings::Credentials& settings,
                             core::Console& console);

}  // namespace berth::credentials
