#pragma once

#include <string>

namespace berth::agent {

/// `berth-agent tunnel`: carries connections to <run>/agent.sock, one at a time, over
/// its standard streams (agent/protocol/tunnel.hpp) until they end. Between two
/// connections the agent has no driver. Returns an exit code of
/// agent/protocol/exit_codes.hpp.
int tunnel(const std::string& run);

}  // namespace berth::agent
