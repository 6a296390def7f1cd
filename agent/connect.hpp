#pragma once

#include <string>

namespace berth::agent {

/// `berth-agent connect`: joins stdin and stdout to the socket in `run`. The end
/// of stdin closes that half only; the end of the agent's side, once written out,
/// or a closed stdout ends it. Returns an exit code of protocol/exit_codes.hpp;
/// says on stderr why there is no connection.
int connect(const std::string& run);

}  // namespace berth::agent
