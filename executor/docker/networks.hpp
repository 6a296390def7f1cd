#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"

#include <stop_token>
#include <string>

namespace berth::docker {

/// The id of the bridge that jobs without services share; made on first use,
/// under a lock of this host, because the engine can make two networks of one
/// name and then takes neither by name. Of several (another host was as quick)
/// the oldest is everybody's.
/// Throws OperatorError where the engine has no addresses left.
std::string ensure_shared_network(Engine& engine, const HostState& state, const core::JobSpec& spec,
                                  int mtu, std::stop_token stop);

/// Makes the job's own bridge; returns its id. Throws as above.
std::string create_job_network(Engine& engine, const core::JobSpec& spec, const std::string& host,
                               int mtu, std::stop_token stop);

/// Removes a network of ours; waits a little where the engine has not yet taken
/// the last container off it. False where it was not there.
bool remove_network(Engine& engine, const std::string& id, std::stop_token stop);

}  // namespace berth::docker
