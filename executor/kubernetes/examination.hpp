#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/kubernetes/options.hpp"
#include "executor/support/console.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

/// What `berth doctor` sees of a cluster without making a pod.
namespace berth::kubernetes {

/// Cluster, clock, rights and agent, in this order. Only Cancelled is thrown.
std::vector<core::Finding> examine_cluster(const BackendOptions& options, support::Console& console,
                                           std::stop_token stop);

/// The server's clock against this machine's, of which `before` and `after` were read
/// around the question (seconds). Deadlines and certificates want them close. Pure.
core::Finding examine_clock(std::optional<std::int64_t> server, std::int64_t before,
                            std::int64_t after);

}  // namespace berth::kubernetes
