#include "agent/watchdog.hpp"

#include "agent/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

namespace berth::agent {

Lease::Lease(const std::string& path) : m_path(path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) m_path += "/lease";
}

bool Lease::touch() const {
  // The job may put anything there: no link is followed, no FIFO waited for.
  constexpr int k_flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Fd fd(::open(m_path.c_str(), k_flags));
  if (!fd && errno == ENOENT) {
    fd = Fd(::open(m_path.c_str(), k_flags | O_CREAT, 0666));
    // The other container's agent may be another user.
    if (fd) ::fchmod(fd.get(), 0666);
  }
  return fd && ::futimens(fd.get(), nullptr) == 0;
}

bool Lease::overfill(std::int64_t bytes) const {
  std::string path = m_path + "-overfill-XXXXXX";
  const Fd fd(::mkostemp(path.data(), O_CLOEXEC));
  std::array<char, std::size_t{64} << 10> noise{};
  while (fd && bytes > 0) {
    const auto wanted = std::min(bytes, static_cast<std::int64_t>(noise.size()));
    ssize_t count = ::getrandom(noise.data(), static_cast<std::size_t>(wanted), 0);
    if (count > 0) count = ::write(fd.get(), noise.data(), static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes -= count;
  }
  return static_cast<bool>(fd);
}

std::optional<std::int64_t> Lease::changed() const {
  struct stat info {};
  if (::lstat(m_path.c_str(), &info) != 0) return std::nullopt;
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

Watchdog::Watchdog(const Options& options, TimePoint now)
    : m_lease(options.lease),
      m_orphan(options.orphan),
      m_deadline(options.deadline),
      m_overfill(options.overfill),
      m_changed(m_lease.changed()),
      m_alive(now) {}

Verdict Watchdog::tick(TimePoint now, std::int64_t wall) {
  if (m_heard) {
    m_heard = false;
    m_alive = now;
    if (!m_lease.touch() && !m_complained) {
      m_complained = true;
      std::fprintf(stderr, "berth-agent: cannot touch lease '%s': %s\n", m_lease.path().c_str(),
                   std::strerror(errno));
    }
  }
  if (const auto changed = m_lease.changed(); changed && changed != m_changed) {
    m_changed = changed;
    m_alive = now;
  }
  if (m_deadline != 0 && wall >= m_deadline) return Verdict::past_deadline;
  if (m_orphan.count() != 0 && now - m_alive > m_orphan) return Verdict::orphaned;
  return Verdict::live;
}

void Watchdog::overfill() const {
  if (m_overfill == 0 || m_lease.overfill(m_overfill)) return;
  std::fprintf(stderr, "berth-agent: cannot fill the volume of lease '%s': %s\n",
               m_lease.path().c_str(), std::strerror(errno));
}

}  // namespace berth::agent
