#pragma once

#include "executor/docker/engine/engine.hpp"

#include <filesystem>
#include <stop_token>
#include <string>

namespace berth::docker {

/// A volume that holds the agent, filled and complete: mount it read-only (with
/// NoCopy) at /.berth/bin; the program is berth-agent in it.
struct AgentVolume {
  std::string name{};
  /// The engine's architecture in Docker's words.
  std::string arch{};
};

struct AgentVolumeOptions {
  /// Berth's state folder on this host: lock and note of what is known complete.
  std::filesystem::path state_dir{};
  /// Folder with berth-agent, or berth-agent-<arch> per architecture.
  std::filesystem::path program_dir{};
  /// An image that exists on the engine: the volume is filled through a
  /// container of it that is created and never started.
  std::string image{};
  /// This host's id (label berth.host of that container): what a killed driver
  /// left of it is removed by the next one that fills the volume.
  std::string host{};
};

/// Makes sure that the agent's volume exists and is complete. Costs one call
/// (inspect) when this host has seen it complete. Otherwise, under a lock of
/// the state folder: version, create volume, create container, marker there?,
/// else PUT of the program and then of the marker; remove container.
/// The volume's name carries the program's digest, so that versions never mix.
/// Throws OperatorError when there is no agent for the engine's architecture.
AgentVolume ensure_agent_volume(Engine& engine, const AgentVolumeOptions& options,
                                std::stop_token stop);

}  // namespace berth::docker
