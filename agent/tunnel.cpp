#include "agent/tunnel.hpp"

#include "agent/listener.hpp"
#include "agent/non_blocking.hpp"
#include "agent/protocol/exit_codes.hpp"
#include "agent/protocol/frames.hpp"
#include "agent/protocol/tunnel.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::agent {
namespace {

using protocol::TunnelFrame;
using protocol::TunnelKind;

/// Bytes that wait until a descriptor takes them.
class Outgoing {
 public:
  bool empty() const noexcept { return m_done == m_bytes.size(); }
  void add(std::string_view bytes) {
    if (empty()) clear();
    m_bytes += bytes;
  }
  void clear() noexcept {
    m_bytes.clear();
    m_done = 0;
  }
  /// False: nobody takes them any more.
  bool flush(int fd) {
    while (!empty()) {
      const ssize_t put = ::write(fd, m_bytes.data() + m_done, m_bytes.size() - m_done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return errno == EAGAIN;
      m_done += static_cast<std::size_t>(put);
    }
    return true;
  }

 private:
  std::string m_bytes;
  std::size_t m_done = 0;
};

class Tunnel {
 public:
  explicit Tunnel(const std::string& run) : m_run(run) { tell(TunnelKind::ready, {}); }

  void run() {
    const NonBlocking in(STDIN_FILENO);
    const NonBlocking out(STDOUT_FILENO);
    while (m_up.flush(STDOUT_FILENO) && !m_input_ended) {
      if (!m_down.flush(m_socket.get())) hang_up(std::strerror(errno));
      // Nothing is read for which there is no room yet. An output that waits for
      // nothing still hears that its reader has gone.
      std::array<pollfd, 3> fds{
          pollfd{m_down.empty() ? STDIN_FILENO : -1, POLLIN, 0},
          pollfd{STDOUT_FILENO, static_cast<short>(m_up.empty() ? 0 : POLLOUT), 0},
          pollfd{socket_events() != 0 ? m_socket.get() : -1, socket_events(), 0}};
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
      if ((fds[1].revents & (POLLERR | POLLNVAL)) != 0) return;
      if (fds[2].revents != 0 && m_up.empty()) read_socket();
      if (fds[0].revents != 0) read_input();
    }
  }

 private:
  short socket_events() const {
    return static_cast<short>((m_up.empty() ? POLLIN : 0) | (m_down.empty() ? 0 : POLLOUT));
  }

  void tell(TunnelKind kind, std::string bytes) {
    m_up.add(encode(TunnelFrame{kind, m_connection, std::move(bytes)}));
  }

  void hang_up(const std::string& why) {
    m_socket.reset();
    m_down.clear();
    tell(TunnelKind::close, why);
  }

  void read_socket() {
    static std::array<char, protocol::k_max_tunnel_bytes> bytes;
    const ssize_t got = ::read(m_socket.get(), bytes.data(), bytes.size());
    if (got > 0) return tell(TunnelKind::data, {bytes.data(), static_cast<std::size_t>(got)});
    if (got == 0) return hang_up({});
    if (errno != EAGAIN && errno != EINTR) hang_up(std::strerror(errno));
  }

  void read_input() {
    static std::array<char, protocol::k_max_tunnel_bytes> bytes;
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    m_input_ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (got <= 0) return;
    m_decoder.feed({bytes.data(), static_cast<std::size_t>(got)});
    while (auto frame = m_decoder.next()) take(*frame);
  }

  void take(const TunnelFrame& frame) {
    switch (frame.kind) {
      case TunnelKind::open:
        m_connection = frame.connection;
        m_down.clear();
        m_socket = connect_to(m_run);
        if (!m_socket) hang_up(std::strerror(errno));
        return;
      case TunnelKind::data:
        if (m_socket && frame.connection == m_connection) m_down.add(frame.bytes);
        return;
      case TunnelKind::close:
        if (frame.connection != m_connection) return;
        m_socket.reset();
        m_down.clear();
        return;
      case TunnelKind::ready:
        throw protocol::FrameError("a driver does not say READY");
    }
  }

  const std::string m_run;
  protocol::TunnelDecoder m_decoder;
  std::uint32_t m_connection = 0;
  Fd m_socket;
  Outgoing m_up;
  Outgoing m_down;
  bool m_input_ended = false;
};

}  // namespace

int tunnel(const std::string& run) {
  // SIGNAL TERM goes to all processes of the container, and we carry its driver.
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  Tunnel(run).run();
  return protocol::k_exit_done;
}

}  // namespace berth::agent
