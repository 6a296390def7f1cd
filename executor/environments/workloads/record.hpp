#pragma once

#include "executor/environments/deployment.hpp"
#include "executor/environments/workloads/workload.hpp"

#include <vector>

/// Between what was seen and what a deployment's record keeps. Pure.
namespace berth::environments::workloads {

/// For Deployment::workloads: everything that stood in the namespace before or after,
/// each with how it changed. Without `before` everything counts as it is.
std::vector<environments::Workload> to_record(const Snapshot* before, const Snapshot& after);

/// The state that the deployment left: what its record keeps, without what it removed.
Snapshot state_after(const environments::Deployment& deployment);
/// Some workload is recorded as created, updated or removed.
bool changed_anything(const environments::Deployment& deployment);

}  // namespace berth::environments::workloads
