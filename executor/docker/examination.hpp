#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/options.hpp"
#include "executor/settings/settings.hpp"

#include <stop_token>
#include <vector>

/// What `berth doctor` sees of a Docker engine without making a container.
namespace berth::docker {

/// Engine, limits, agent and state folder, in this order. Only Cancelled is thrown.
std::vector<core::Finding> examine_engine(Engine& engine, const BackendOptions& options,
                                          std::stop_token stop);

/// Whether limits can be held: the engine's own warnings, of which those count that
/// the settings ask for. Pure.
std::vector<core::Finding> examine_limits(const EngineInfo& info, const settings::Docker& settings);

}  // namespace berth::docker
