#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

/// `berth gc` on a Docker engine: what the sweep does for one host's attempts, for
/// everybody's, and for kept volumes.
namespace berth::docker {

/// Attempts of any host on this engine that are over, and their records here. Of
/// another host's nothing is known but whether their containers have ended, and
/// their deadlines. helper_image: see forget_attempt.hpp.
std::vector<core::Garbage> collect_attempts(Engine& engine, const HostState& state,
                                            const std::string& helper_image, bool dry_run,
                                            std::int64_t now, std::stop_token stop);

/// Kept volumes that jobs of this state folder have used, none of them within
/// `unused_for` seconds, and that no live attempt holds and no container uses.
std::vector<core::Garbage> collect_volumes(Engine& engine, const HostState& state,
                                           std::int64_t unused_for, bool dry_run, std::int64_t now,
                                           std::stop_token stop);

}  // namespace berth::docker
