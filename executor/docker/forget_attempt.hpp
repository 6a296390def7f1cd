#pragma once

#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::docker {

/// HostState::forget, and what that cannot do: a job's root may have left
/// directories in its socket directory that a runner's user without rights
/// cannot empty. They are removed by root of a short-lived container of
/// `helper_image` (empty, or not there: not tried). Returns what is left, as
/// words. `host` is this host's id, by which a sweep finds such a container again
/// after a crash. Throws Cancelled only.
std::vector<std::string> forget_attempt(Engine& engine, const HostState& state,
                                        const std::string& host, std::string_view attempt,
                                        const std::string& helper_image, std::stop_token stop);

}  // namespace berth::docker
