#pragma once

#include <fcntl.h>

namespace berth::agent {

/// Makes a descriptor that we were given non-blocking, and gives it back as it was.
class NonBlocking {
 public:
  explicit NonBlocking(int fd) : m_fd(fd), m_flags(::fcntl(fd, F_GETFL)) {
    ::fcntl(fd, F_SETFL, m_flags | O_NONBLOCK);
  }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;
  ~NonBlocking() { ::fcntl(m_fd, F_SETFL, m_flags); }

 private:
  int m_fd;
  int m_flags;
};

}  // namespace berth::agent
