#pragma once

#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

/// Removes what attempts of this host left behind that nobody will clean up: the
/// runner was killed, or the machine restarted.
namespace berth::docker {

/// Finds and removes dead attempts of the host identity, but never `own`. A
/// container that ended less than a minute ago may still be wanted by its own
/// job's stages, so such an attempt counts as alive.
/// helper_image: see forget_attempt.hpp.
/// Returns how many objects went. Failures are left to the next sweep; only
/// Cancelled is thrown.
unsigned sweep(Engine& engine, const HostState& state, const std::string& host,
               std::string_view own, const std::string& helper_image, std::int64_t now,
               std::stop_token stop);

}  // namespace berth::docker
