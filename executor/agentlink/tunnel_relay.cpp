#include "executor/agentlink/tunnel_relay.hpp"

#include "agent/protocol/frames.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace berth::agentlink {

using protocol::TunnelFrame;
using protocol::TunnelKind;
using support::Fd;

TunnelRelay::TunnelRelay(Transport& tunnel, Fd listener, LastUse& last_use, RelayLimits limits,
                         Waiter& waiter)
    : m_tunnel(tunnel),
      m_listener(std::move(listener)),
      m_last_use(last_use),
      m_limits(limits),
      m_waiter(waiter) {}

void TunnelRelay::run(std::stop_token stop) {
  const StopSignal stopping(std::move(stop));
  try {
    while (!stopping.requested() && step(stopping)) {
    }
  } catch (const protocol::FrameError& error) {
    support::log(support::LogLevel::info, std::string("tunnel: ") + error.what());
  }
  m_listener.reset();  // before a client could come again
  lose_tunnel();
}

/// False: this is the end.
bool TunnelRelay::step(const StopSignal& stop) {
  if (m_stream && (!read_tunnel() || !write_tunnel())) {
    const bool in_use = static_cast<bool>(m_client);
    lose_tunnel();
    if (m_worked && !in_use) return false;  // its container has ended, most likely
  }
  write_client();
  const TimePoint now = m_waiter.now();
  if (m_client && !m_answered && now >= next_deadline()) {
    lose_tunnel();
    return !m_worked;
  }
  if (!m_client && now >= next_deadline()) return false;
  const bool wants_tunnel = m_down.empty();
  std::array<pollfd, 4> fds{
      pollfd{m_listener.get(), POLLIN, 0}, pollfd{stop.fd(), POLLIN, 0},
      pollfd{m_stream && (wants_tunnel || !m_up.empty()) ? m_stream->fd() : -1,
             m_stream ? m_stream->poll_events(!m_up.empty()) : short{0}, 0},
      pollfd{m_up.empty() || !m_down.empty() ? m_client.get() : -1,
             static_cast<short>((m_up.empty() ? POLLIN : 0) | (m_down.empty() ? 0 : POLLOUT)), 0}};
  const bool more = m_stream && wants_tunnel && m_stream->buffered();
  m_waiter.wait(fds, more ? now : next_deadline());
  if (fds[3].revents != 0 && m_up.empty()) read_client();
  if (fds[0].revents != 0) {
    Fd client(::accept4(m_listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) return welcome(std::move(client), stop);
  }
  return true;
}

void TunnelRelay::lose_tunnel() {
  m_stream.reset();
  m_decoder = {};
  m_up.clear();
  forget_client();
}

/// False: this is the end.
bool TunnelRelay::welcome(Fd client, const StopSignal& stop) {
  forget_client();
  if (!m_stream) {
    try {
      m_stream = m_tunnel.connect(m_waiter.now() + m_limits.answer, stop.token());
    } catch (const std::exception& error) {
      support::log(support::LogLevel::info, std::string("tunnel: ") + error.what());
      if (m_worked) m_listener.reset();  // before the client could come again
      return !m_worked;
    }
  }
  m_client = std::move(client);
  m_last_use.begin();
  m_answered = false;
  m_opened = m_waiter.now();
  ++m_connection;
  tell(TunnelKind::open, {});
  return true;
}

/// False: the tunnel is lost.
bool TunnelRelay::read_tunnel() {
  std::array<char, protocol::k_max_tunnel_bytes> bytes;
  while (m_down.empty()) {
    const Io io = m_stream->read(bytes);
    if (io.state == Io::State::closed) return false;
    if (io.state == Io::State::would_block) return true;
    m_decoder.feed({bytes.data(), io.bytes});
    while (auto frame = m_decoder.next()) take(std::move(*frame));
  }
  return true;
}

void TunnelRelay::take(TunnelFrame frame) {
  if (!m_client || m_closing || frame.connection != m_connection) return;
  if (frame.kind == TunnelKind::close) m_closing = true;
  if (frame.kind != TunnelKind::data) return;
  m_answered = m_worked = true;
  m_down += frame.bytes;
}

void TunnelRelay::read_client() {
  std::array<char, protocol::k_max_tunnel_bytes> bytes;
  const ssize_t got = ::recv(m_client.get(), bytes.data(), bytes.size(), 0);
  if (got > 0) return tell(TunnelKind::data, {bytes.data(), static_cast<std::size_t>(got)});
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  forget_client();
}

/// False: the tunnel is lost.
bool TunnelRelay::write_tunnel() {
  while (!m_up.empty()) {
    const Io io = m_stream->write(m_up);
    if (io.state == Io::State::closed) return false;
    if (io.state == Io::State::would_block) return true;
    m_up.erase(0, io.bytes);
  }
  return true;
}

void TunnelRelay::write_client() {
  while (m_client && !m_down.empty()) {
    const ssize_t put =
        ::send(m_client.get(), m_down.data(), m_down.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put < 0) return forget_client();
    m_down.erase(0, static_cast<std::size_t>(put));
  }
  if (m_closing) forget_client();
}

/// The connection is over; what is still on its way for it is dropped.
void TunnelRelay::forget_client() {
  if (!m_client) return;
  m_last_use.end(m_waiter.now());
  m_client.reset();
  m_down.clear();
  if (m_stream && !m_closing) tell(TunnelKind::close, {});
  m_closing = false;
}

void TunnelRelay::tell(TunnelKind kind, std::string bytes) {
  m_up += encode(TunnelFrame{kind, m_connection, std::move(bytes)});
}

TunnelRelay::TimePoint TunnelRelay::next_deadline() const {
  if (m_client) return m_answered ? TimePoint::max() : m_opened + m_limits.answer;
  return m_last_use.idle_since(m_waiter.now()) + m_limits.idle;
}

}  // namespace berth::agentlink
