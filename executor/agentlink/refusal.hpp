#pragma once

#include "agent/protocol/messages.hpp"

#include <string>
#include <string_view>

namespace berth::agentlink {

/// Turns the agent's REFUSED into the error it means. `where` names the
/// container. Always throws: support::JobError where the image has no shell,
/// else support::SystemError.
[[noreturn]] void throw_refusal(const protocol::Refused& refused, const std::string& where);

/// The agent's words made fit for one log line: printable ASCII, at most 200
/// characters (they come from inside the job).
std::string printable(std::string_view words);

}  // namespace berth::agentlink
