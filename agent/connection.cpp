#include "agent/connection.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace berth::agent {
short Connection::events() const noexcept {
  short events = 0;
  if (!m_closed && !m_ending && !full()) events |= POLLIN;
  if (backlog() > 0) events |= POLLOUT;
  return events;
}

void Connection::receive() {
  if (m_ending || m_broken) return;
  static std::array<char, 128u << 10> buffer;
  const ssize_t got = ::recv(m_socket.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) {
    m_decoder.feed({buffer.data(), static_cast<std::size_t>(got)});
  } else if (got == 0) {
    // The driver may have closed its half only: what it asked for is still sent.
    m_closed = true;
  } else {
    m_broken = errno != EAGAIN && errno != EINTR;
  }
}

std::optional<protocol::DriverMessage> Connection::next() {
  if (m_ending || m_broken || full()) return std::nullopt;
  try {
    if (auto message = m_decoder.next()) return message;
  } catch (const protocol::FrameError& error) {
    refuse(error.what());
  }
  if (m_closed) m_ending = true;
  return std::nullopt;
}

void Connection::send(const protocol::AgentMessage& message) {
  if (m_broken || m_ending) return;
  if (m_sent > 0 && m_sent >= m_out.size() / 2) {
    m_out.erase(0, m_sent);
    m_sent = 0;
  }
  m_out += protocol::encode(message);
}

void Connection::refuse(const std::string& why) {
  send(protocol::Refused{.reason = protocol::RefusalReason::bad_frame, .text = why});
  m_ending = true;
}

void Connection::flush() {
  while (backlog() > 0 && !m_broken) {
    const ssize_t sent =
        ::send(m_socket.get(), m_out.data() + m_sent, backlog(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      m_sent += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      m_broken = true;
    }
  }
}

}  // namespace berth::agent
