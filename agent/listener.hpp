#pragma once

#include "agent/fd.hpp"

#include <string>

namespace berth::agent {

/// The agent's end of <run>/agent.sock.
class Listener {
 public:
  /// Makes the directory where it is missing, takes it for this agent alone and
  /// puts a listening socket there (0666), in place of one left by a dead agent.
  /// Throws std::runtime_error with what failed, on which path, and why.
  explicit Listener(const std::string& run);

  int fd() const noexcept { return m_socket.get(); }
  /// A connection that waits; O_NONBLOCK. Empty: there is none.
  Fd accept() const;

 private:
  /// Its lock says that the directory is taken.
  Fd m_directory;
  Fd m_socket;
};

/// Connects to <run>/agent.sock. Empty: errno tells why.
Fd connect_to(const std::string& run);

}  // namespace berth::agent
