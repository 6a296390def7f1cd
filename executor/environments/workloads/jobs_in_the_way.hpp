#pragma once

#include "executor/environments/workloads/comparison.hpp"
#include "executor/environments/workloads/failure.hpp"

#include <string>
#include <vector>

/// Finished Jobs are immutable: their new version is refused. Pure.
namespace berth::environments::workloads {

/// The failure of a script that could not replace a finished Job, whether it noticed or not.
Failure immutable_job_failure(const std::string& job, const Snapshot& after);

/// Notes on finished Jobs that stand with an older image of what was deployed: their new
/// version was not run. It may be meant so.
std::vector<std::string> stale_jobs(const std::vector<Difference>& differences,
                                    const Snapshot& after);

}  // namespace berth::environments::workloads
