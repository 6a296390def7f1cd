#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/docker/engine/engine.hpp"

#include <memory>
#include <string>
#include <vector>

namespace berth::docker {

/// Reaches the agent of one container through the engine: an exec of
/// `/.berth/bin/berth-agent connect`, whose standard streams are joined to the
/// agent's socket. Works wherever the engine is, TLS included.
///
/// connect() returns when the agent's first bytes are here, so that a container
/// that is gone, a missing program or a refused connection is a ConnectError
/// with the engine's and the program's words. `engine` must outlive the
/// transport and its streams. `container` is an id or a name.
/// `arguments`: of the agent's program, in place of `connect`; for `dial` the Stream
/// is what agent/protocol/dial.hpp says.
std::unique_ptr<agentlink::Transport> make_exec_transport(Engine& engine, std::string container,
                                                          std::vector<std::string> arguments = {
                                                              "connect"});

}  // namespace berth::docker
