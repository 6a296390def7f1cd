#pragma once

#include "agent/protocol/frames.hpp"
#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/waiter.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::agentlink {

/// Frames over one Stream: queues what is sent, cuts what arrives into messages.
/// Never blocks; holds at most one read and one frame of what the peer sends,
/// and of its own frames only what send() was given.
class Connection {
 public:
  /// max_payload: the largest frame taken from the agent.
  Connection(std::unique_ptr<Stream> stream, std::size_t max_payload, Waiter::TimePoint now);

  void send(const protocol::DriverMessage& message);
  /// Nothing that was sent still waits for the peer to read.
  bool idle() const noexcept { return m_sent == m_out.size(); }

  /// Writes and reads what can be moved at once.
  void pump(Waiter::TimePoint now);
  /// Writes only.
  void flush();
  /// The next whole message. Throws protocol::FrameError.
  std::optional<protocol::AgentMessage> next();

  /// The stream has ended; next() may still hold messages.
  bool closed() const noexcept { return m_closed; }
  /// The transport's words for it.
  const std::string& why() const noexcept { return m_why; }
  /// When bytes last arrived (or the connection was made).
  Waiter::TimePoint last_heard() const noexcept { return m_last_heard; }

  pollfd poll_entry() const;
  /// pump() would find bytes without polling.
  bool buffered() const { return m_stream->buffered(); }

 private:
  void pull(Waiter::TimePoint now);

  std::unique_ptr<Stream> m_stream;
  protocol::AgentDecoder m_decoder;
  std::vector<char> m_in;
  std::string m_out;
  std::size_t m_sent = 0;
  Waiter::TimePoint m_last_heard;
  bool m_write_closed = false;
  bool m_closed = false;
  std::string m_why;
};

}  // namespace berth::agentlink
