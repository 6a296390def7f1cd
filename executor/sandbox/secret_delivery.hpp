#pragma once

#include "executor/agentlink/client.hpp"
#include "executor/core/job_secrets.hpp"
#include "executor/core/stage.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace berth::sandbox {

/// Directories of the build container that have to be in memory for that.
std::vector<std::string> memory_directories(const core::JobSecrets* secrets);

/// Gives one container's agent what the job's stages need of its secrets, on a
/// connection that is there: the note to both, files and links to the build
/// container's. Nothing where there is nothing; `secrets` may be null.
/// Throws as AgentClient::put().
void deliver_secrets(agentlink::AgentClient& agent, core::ContainerRole role,
                     const core::JobSecrets* secrets, std::stop_token stop);

}  // namespace berth::sandbox
