#include "executor/agentlink/connection.hpp"

#include <utility>

namespace berth::agentlink {
namespace {

constexpr std::size_t k_read_size = 256u << 10;

}  // namespace

Connection::Connection(std::unique_ptr<Stream> stream, std::size_t max_payload,
                       Waiter::TimePoint now)
    : m_stream(std::move(stream)), m_decoder(max_payload), m_in(k_read_size), m_last_heard(now) {}

void Connection::send(const protocol::DriverMessage& message) {
  if (m_write_closed) return;
  if (idle()) {
    m_out = protocol::encode(message);
    m_sent = 0;
  } else {
    m_out += protocol::encode(message);
  }
}

void Connection::pump(Waiter::TimePoint now) {
  flush();
  pull(now);
}

std::optional<protocol::AgentMessage> Connection::next() {
  return m_decoder.next();
}

pollfd Connection::poll_entry() const {
  return {m_stream->fd(), m_stream->poll_events(!idle()), 0};
}

void Connection::flush() {
  while (!idle() && !m_write_closed) {
    const Io io = m_stream->write(std::string_view(m_out).substr(m_sent));
    if (io.state == Io::State::would_block) return;
    if (io.state == Io::State::closed) {
      // What the peer sent before it went may still be read: the read side
      // decides when the connection is over.
      m_write_closed = true;
      if (m_why.empty()) m_why = io.why;
      break;
    }
    m_sent += io.bytes;
  }
  m_out = {};  // a script may be large: give its memory back
  m_sent = 0;
}

void Connection::pull(Waiter::TimePoint now) {
  if (m_closed) return;
  const Io io = m_stream->read(m_in);
  if (io.state == Io::State::closed) {
    m_closed = true;
    if (!io.why.empty() || m_why.empty()) m_why = io.why;
  } else if (io.state == Io::State::moved) {
    m_last_heard = now;
    m_decoder.feed({m_in.data(), io.bytes});
  }
}

}  // namespace berth::agentlink
