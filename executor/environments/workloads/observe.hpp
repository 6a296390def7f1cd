#pragma once

#include "executor/environments/workloads/workload.hpp"
#include "executor/kubernetes/api/client.hpp"

#include <stop_token>
#include <string>

namespace berth::environments::workloads {

/// What stands in the namespace now: five lists, and the pods for their digests. What the
/// credential may not list is in Snapshot::unseen. Throws as Client's methods do, but for
/// missing rights.
Snapshot observe(kubernetes::Client& client, const std::string& name_space, std::stop_token stop);

}  // namespace berth::environments::workloads
