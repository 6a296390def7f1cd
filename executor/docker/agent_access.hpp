#pragma once

#include "executor/agentlink/client.hpp"
#include "executor/agentlink/transport.hpp"
#include "executor/core/backend.hpp"
#include "executor/core/stage.hpp"
#include "executor/docker/container_end.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/sandbox/job_container.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace berth::docker {

/// One of the job's two containers, and the way to its agent.
struct AgentContainer {
  core::ContainerRole role = core::ContainerRole::build;
  std::string id;
  /// As the job's author wrote it, for messages.
  std::string image;
  /// The host's directory that holds the agent's socket; empty: through the engine.
  std::filesystem::path socket_dir;

  sandbox::JobContainer named() const { return {.role = role, .image = image}; }
};

std::unique_ptr<agentlink::Transport> make_transport(Engine& engine,
                                                     const AgentContainer& container);

/// Waits until the agent of a container that has been started says HELLO.
///
/// A container that ends first is the author's business (build: its entrypoint
/// did not run the command it was given) or the operator's (helper): JobError or
/// OperatorError with exit code and log. Says so on the console when it takes
/// long. Throws SystemError after `limit`, or at once where the engine cannot
/// start the agent's program; agentlink::ConnectError where this process has no
/// way to `socket_dir` (the engine still may); Cancelled.
agentlink::AgentClient await_agent(Engine& engine, const AgentContainer& container,
                                   agentlink::Transport& transport, std::chrono::milliseconds limit,
                                   core::Console& console, std::stop_token stop);

/// What it means for a stage that the container of its agent has ended: the
/// kernel's kill for want of memory is the job's own end by signal 9; anything
/// else is a SystemError, since nothing is known of how the script ended.
core::ExitStatus outcome_of_end(const AgentContainer& container, const ContainerEnd& end,
                                bool script_started, core::Console& console);

/// Starts it, and puts into words what the engine refuses to start.
void start_agent_container(Engine& engine, const AgentContainer& container, std::stop_token stop);

}  // namespace berth::docker
