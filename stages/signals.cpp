#include "stages/signals.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

namespace berth::stages {

SignalWatch::SignalWatch() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, number);
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  m_signals = support::Fd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  m_wake = support::Fd(::eventfd(0, EFD_CLOEXEC));
  if (!m_signals || !m_wake) {
    throw support::SystemError("cannot watch signals: " + support::errno_text(errno));
  }
  m_thread = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  release();
}

void SignalWatch::watch() {
  std::array<pollfd, 2> fds{{{.fd = m_signals.get(), .events = POLLIN, .revents = 0},
                             {.fd = m_wake.get(), .events = POLLIN, .revents = 0}}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(m_signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      m_stop.request_stop();
    }
  }
}

void SignalWatch::release() {
  if (!m_thread.joinable()) return;
  const std::uint64_t one = 1;
  // An eventfd's counter takes it at once.
  [[maybe_unused]] const ssize_t written = ::write(m_wake.get(), &one, sizeof one);
  m_thread.join();
}

}  // namespace berth::stages
