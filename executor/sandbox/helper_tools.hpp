#pragma once

#include "executor/agentlink/transport.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace berth::sandbox {

/// Makes sure that the helper's scripts find `gitlab-runner`, which they call by
/// that name (and silently do without: a job would end green with its artifacts
/// and its cache missing). Where the image has only gitlab-runner-helper, a link
/// is made beside it, or in the agent's directory: it has the same commands.
/// `patience`: for how long the helper's agent may be out of reach.
/// Returns the PATH that the helper's stages must have for that; empty: their own.
/// Throws OperatorError where the image has neither, or no shell; AgentLost.
std::string ensure_gitlab_runner(agentlink::Transport& helper, const std::string& image,
                                 std::chrono::milliseconds patience, std::stop_token stop);

}  // namespace berth::sandbox
