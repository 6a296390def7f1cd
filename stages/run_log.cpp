#include "stages/run_log.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::stages {
namespace {

constexpr int k_for_ever = -1;
constexpr std::size_t k_file_chunk = std::size_t{1} << 20;

support::SystemError not_written(int error) {
  return support::SystemError("cannot write the job log: standard output: " +
                              support::errno_text(error));
}

/// poll(2) tells that PIPE_BUF bytes fit, and more might block for ever.
std::size_t chunk_for(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) throw not_written(errno);
  return S_ISREG(about.st_mode) ? k_file_chunk : std::size_t{PIPE_BUF};
}

}  // namespace

JobLog::JobLog(int fd, std::stop_token stop, std::chrono::milliseconds patience)
    : m_fd(fd), m_chunk(chunk_for(fd)), m_stop(std::move(stop)), m_patience(patience) {}

void JobLog::write(std::string_view bytes) {
  while (!bytes.empty()) {
    wait_until_writable();
    const ssize_t written = ::write(m_fd, bytes.data(), std::min(bytes.size(), m_chunk));
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR && errno != EAGAIN)
      throw not_written(errno);
  }
}

void JobLog::wait_until_writable() {
  // A stop is only worth waking for as long as it has not been seen.
  std::array<pollfd, 2> fds{pollfd{m_fd, POLLOUT, 0}, pollfd{m_stop.fd(), POLLIN, 0}};
  for (;;) {
    const bool stopping = m_stop.requested();
    const int ready = ::poll(fds.data(), stopping ? 1 : 2,
                             stopping ? static_cast<int>(m_patience.count()) : k_for_ever);
    if (ready < 0 && errno != EINTR) throw not_written(errno);
    if (ready > 0 && fds[0].revents != 0) return;
    if (ready == 0) throw support::Cancelled();
  }
}

}  // namespace berth::stages
