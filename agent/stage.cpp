#include "agent/stage.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace berth::agent {

Stage::Stage(const protocol::StageId& id, Launched launched)
    : m_id(id), m_pid(launched.pid), m_pipe(std::move(launched.output)) {}

int Stage::poll_fd() const noexcept {
  return m_ring.room() > 0 && !complete() ? m_pipe.get() : -1;
}

void Stage::read_output() {
  // One round of the loop moves so much, so that a loud stage leaves time for
  // everything else.
  constexpr std::uint64_t k_most = 256u << 10;
  if (!m_pipe) return;
  const std::uint64_t limit = ended() ? std::min(k_most, m_left) : k_most;
  const auto space = m_ring.space(static_cast<std::size_t>(limit));
  if (space[0].iov_len == 0) return;
  const ssize_t got = ::readv(m_pipe.get(), space.data(), static_cast<int>(space.size()));
  if (got > 0) {
    m_ring.fill(static_cast<std::size_t>(got));
    if (ended()) m_left -= static_cast<std::uint64_t>(got);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    m_pipe.reset();  // every writer has closed it
    m_left = 0;
  }
}

void Stage::end(int wait_status, std::uint32_t oom_kills) {
  int in_pipe = 0;
  if (m_pipe && ::ioctl(m_pipe.get(), FIONREAD, &in_pipe) == 0) {
    m_left = static_cast<std::uint64_t>(in_pipe);
  }
  const bool signalled = WIFSIGNALED(wait_status);
  m_exit = protocol::Exit{
      .id = m_id,
      .kind = signalled ? protocol::ExitKind::signalled : protocol::ExitKind::exited,
      .status =
          static_cast<std::uint8_t>(signalled ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status)),
      .oom_kills = oom_kills,
      .length = m_ring.end() + m_left};
}

protocol::Exit Stage::exit() const {
  protocol::Exit exit = *m_exit;
  exit.length = m_ring.end();
  return exit;
}

}  // namespace berth::agent
