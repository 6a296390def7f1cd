#pragma once

#include "agent/fd.hpp"
#include "agent/protocol/messages.hpp"

#include <stdexcept>
#include <string>
#include <sys/types.h>
#include <vector>

namespace berth::agent {

/// What a stage takes over from the container.
struct Inherited {
  mode_t umask = 022;
  /// KEY=value; without the agent's own variable.
  std::vector<std::string> environment;
};

/// This process's environment without BERTH_AGENT.
std::vector<std::string> stage_environment();

struct Launched {
  pid_t pid = -1;
  /// Reads what the stage writes to stdout and stderr; O_NONBLOCK.
  Fd output;
};

class LaunchError : public std::runtime_error {
 public:
  LaunchError(protocol::RefusalReason reason, const std::string& text)
      : std::runtime_error(text), m_reason(reason) {}
  protocol::RefusalReason reason() const noexcept { return m_reason; }

 private:
  protocol::RefusalReason m_reason;
};

/// Starts the shell of a stage: the script as a sealed memfd on its stdin, both
/// outputs on one pipe, a session of its own, default signals, no other
/// descriptor, and SIGKILL should the agent die. Throws LaunchError; a shell that
/// cannot be executed is passed over for the next.
Launched launch(const protocol::Start& start, const Inherited& inherited);

}  // namespace berth::agent
