#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"
#include "executor/settings/settings.hpp"

#include <stop_token>
#include <string>

namespace berth::docker {

/// The network of jobs without services: the engine's default bridge, where it
/// has one and the settings ask for nothing that this bridge cannot give.
/// The engine runs a name server for every container on any other network,
/// which takes a third of such a container's start (20.10: 105 of 385 ms).
std::string network_without_services(Engine& engine, const HostState& state,
                                     const core::JobSpec& spec, const settings::Docker& options,
                                     std::stop_token stop);

/// The id of Berth's own bridge, whose containers cannot reach each other; made
/// on first use, under a lock of this host, because the engine can make two
/// networks of one name and then takes neither by name. Of several (another
/// host was as quick) the oldest is everybody's.
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
