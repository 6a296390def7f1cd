#include "agent/join.hpp"

#include "agent/non_blocking.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::agent {
namespace {

/// Bytes on their way from one descriptor to another.
class Way {
 public:
  Way(int from, int to) : m_from(from), m_to(to) {}

  /// All has been handed over, and no more comes.
  bool finished() const { return m_broken || (m_ended && m_held == 0); }
  bool broken() const { return m_broken; }
  pollfd from() const { return {m_ended || m_held > 0 ? -1 : m_from, POLLIN, 0}; }
  pollfd to() const { return {m_held > 0 ? m_to : -1, POLLOUT, 0}; }

  void move(bool readable, bool writable) {
    if (readable) {
      const ssize_t got = ::read(m_from, m_bytes.data(), m_bytes.size());
      if (got > 0) m_held = static_cast<std::size_t>(got);
      m_ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
      writable = got > 0;
    }
    if (writable && m_held > 0) {
      const ssize_t put = ::write(m_to, m_bytes.data() + m_done, m_held);
      if (put > 0) {
        m_held -= static_cast<std::size_t>(put);
        m_done = m_held == 0 ? 0 : m_done + static_cast<std::size_t>(put);
      } else if (put < 0 && errno != EAGAIN && errno != EINTR) {
        m_broken = true;
      }
    }
  }

 private:
  int m_from;
  int m_to;
  bool m_ended = false;
  bool m_broken = false;
  std::size_t m_held = 0;
  std::size_t m_done = 0;
  std::array<char, 64u << 10> m_bytes{};
};

}  // namespace

void join(int socket) {
  const NonBlocking in(STDIN_FILENO);
  const NonBlocking out(STDOUT_FILENO);
  static Way up(STDIN_FILENO, socket);
  static Way down(socket, STDOUT_FILENO);
  bool half_closed = false;
  while (!down.finished()) {
    if (up.finished() && !half_closed) {
      half_closed = true;
      ::shutdown(socket, SHUT_WR);
    }
    const bool up_open = !up.finished();
    // The last one asks for nothing, but hears that the reader of stdout has gone.
    std::array<pollfd, 5> fds{up_open ? up.from() : pollfd{-1, 0, 0},
                              up_open ? up.to() : pollfd{-1, 0, 0}, down.from(), down.to(),
                              pollfd{STDOUT_FILENO, 0, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (up_open) up.move(fds[0].revents != 0, fds[1].revents != 0);
    down.move(fds[2].revents != 0, fds[3].revents != 0);
    if ((fds[4].revents & (POLLERR | POLLNVAL)) != 0) return;
  }
}

}  // namespace berth::agent
