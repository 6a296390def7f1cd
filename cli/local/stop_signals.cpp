#include "cli/local/stop_signals.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace berth::local {

StopSignals::StopSignals(std::function<void(int)> on_signal) {
  // Who reads our output may leave early (`berth local | head`); the jobs go on.
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  m_signals = support::Fd(::signalfd(-1, &set, SFD_CLOEXEC));
  m_end = support::Fd(::eventfd(0, EFD_CLOEXEC));
  if (!m_signals || !m_end) {
    throw support::SystemError("cannot wait for signals: " + support::errno_text(errno));
  }
  m_thread = std::thread([this, on_signal = std::move(on_signal)] {
    for (int count = 0;;) {
      pollfd polled[2] = {{m_signals.get(), POLLIN, 0}, {m_end.get(), POLLIN, 0}};
      if (::poll(polled, 2, -1) < 0) continue;
      if (polled[1].revents != 0) return;
      signalfd_siginfo info{};
      if (::read(m_signals.get(), &info, sizeof info) == sizeof info) on_signal(++count);
    }
  });
}

StopSignals::~StopSignals() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(m_end.get(), &one, sizeof one);
  m_thread.join();
}

}  // namespace berth::local
