#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <poll.h>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

/// The seam between the agent protocol and what carries it: the agent's own
/// socket (socket_transport.hpp) or an engine exec of `berth-agent connect`
/// (executor/docker). The bytes on a Stream are frames of agent/protocol.
namespace berth::agentlink {

/// What one non-blocking read or write did.
struct Io {
  enum class State {
    moved,        ///< `bytes` > 0 were moved
    would_block,  ///< nothing now: poll for poll_events()
    closed,       ///< the other end is gone; `why` says what is known
  };
  State state = State::would_block;
  std::size_t bytes = 0;
  /// errno's or the engine's words (also what `berth-agent connect` wrote to its
  /// stderr); empty for a plain end of stream.
  std::string why;
};

/// A connection to one agent. Owns its descriptor; used by one thread. Nothing
/// blocks and nothing throws but std::bad_alloc.
class Stream {
 public:
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// The descriptor to poll; O_NONBLOCK and O_CLOEXEC; constant for the life of the stream.
  virtual int fd() const = 0;
  /// What to poll for; a TLS stream may need the other direction than asked for.
  virtual short poll_events(bool wants_write) const {
    return static_cast<short>(wants_write ? POLLIN | POLLOUT : POLLIN);
  }
  /// Bytes are already here that a poll of fd() does not tell of (TLS, or the
  /// rest of an engine's frame): read before polling.
  virtual bool buffered() const { return false; }
  virtual Io read(std::span<char> into) = 0;
  virtual Io write(std::string_view bytes) = 0;

 protected:
  Stream() = default;
};

/// Why no connection could be made.
enum class ConnectFailure {
  temporary,  ///< try again: engine restarting, backlog full, address unreachable
  absent,     ///< this way to the agent does not exist here (no socket path on this host)
  gone,       ///< nobody listens: the agent has ended and does not come back
  hostile,    ///< something else stands where the agent's socket was
};

/// what() is complete words for a log line: `what failed: which object: why`.
class ConnectError : public std::runtime_error {
 public:
  ConnectError(ConnectFailure kind, const std::string& message)
      : std::runtime_error(message), m_kind(kind) {}
  ConnectFailure kind() const noexcept { return m_kind; }

 private:
  ConnectFailure m_kind;
};

/// Makes connections to the agent of one container, again and again. Each is
/// answered by HELLO; a newer connection replaces the older at the agent.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Returns before the deadline. Throws ConnectError, support::Cancelled when
  /// stop was requested, and support::Error where no second try can help (the
  /// engine refuses our credentials).
  virtual std::unique_ptr<Stream> connect(std::chrono::steady_clock::time_point deadline,
                                          std::stop_token stop) = 0;

  /// Names the way in messages: "socket '/var/lib/berth/…/agent.sock'".
  virtual std::string describe() const = 0;
};

}  // namespace berth::agentlink
