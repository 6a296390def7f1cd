#pragma once

#include "agent/fd.hpp"
#include "agent/protocol/frames.hpp"

#include <optional>
#include <string>

namespace berth::agent {

/// One driver's connection: whole messages in, frames out, nothing blocks. All
/// its bytes go with it, so a frame cut in half never reaches the next one.
class Connection {
 public:
  explicit Connection(Fd socket) : m_socket(std::move(socket)) {}

  int fd() const noexcept { return m_socket.get(); }
  /// What to poll for.
  short events() const noexcept;
  /// Neither end has anything more to say, or it is broken: drop it.
  bool finished() const noexcept { return m_broken || (m_ending && backlog() == 0); }

  /// Takes what has arrived.
  void receive();
  /// The next whole message; nothing while the driver does not take the answers
  /// to earlier ones (see full()). A frame that cannot be read is refused and ends
  /// the connection.
  std::optional<protocol::DriverMessage> next();
  /// So many answers wait that no more questions are taken.
  bool full() const noexcept { return backlog() >= k_most_backlog; }
  void send(const protocol::AgentMessage& message);
  /// Refuses what the driver sent and sends nothing after it.
  void refuse(const std::string& why);
  /// Bytes that wait for the driver to take them.
  std::size_t backlog() const noexcept { return m_out.size() - m_sent; }
  /// Hands over what the socket takes now.
  void flush();

 private:
  static constexpr std::size_t k_most_backlog = 1u << 20;

  Fd m_socket;
  protocol::DriverDecoder m_decoder{protocol::k_max_driver_payload};
  std::string m_out;
  std::size_t m_sent = 0;
  /// The driver sends no more.
  bool m_closed = false;
  /// We send no more than what waits.
  bool m_ending = false;
  bool m_broken = false;
};

}  // namespace berth::agent
