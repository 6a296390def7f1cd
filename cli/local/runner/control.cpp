#include "cli/local/runner/control.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace berth::local::runner {

Control::Control() : m_wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!m_wake) throw support::SystemError("cannot make an eventfd: " + support::errno_text(errno));
}

void Control::request(bool& flag) {
  flag = true;
  const std::uint64_t one = 1;
  // The counter can only overflow after 2^64 requests.
  [[maybe_unused]] const auto written = ::write(m_wake.get(), &one, sizeof one);
}

void Control::cancel() {
  const std::lock_guard lock(m_mutex);
  request(m_in_scripts ? m_script_canceled : m_job_canceled);
}

void Control::abort() {
  const std::lock_guard lock(m_mutex);
  request(m_aborted);
}

void Control::interrupt() {
  const std::lock_guard lock(m_mutex);
  request(m_interrupted);
}

bool Control::cancel_requested() const {
  const std::lock_guard lock(m_mutex);
  return m_job_canceled || m_script_canceled || m_aborted;
}

void Control::scripts_begin() {
  const std::lock_guard lock(m_mutex);
  m_in_scripts = true;
}

void Control::acknowledge() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(m_wake.get(), &count, sizeof count);
}

Stop Control::wait_until(const Scope& scope, TimePoint until) const {
  for (;;) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (const Stop stop = check(scope, now); stop != Stop::none || now >= until) return stop;
    TimePoint wake = until;
    for (const Scope::Deadline& deadline : scope.deadlines) wake = std::min(wake, deadline.at);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - now).count();
    pollfd polled{m_wake.get(), POLLIN, 0};
    ::poll(&polled, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (polled.revents != 0) acknowledge();
  }
}

Stop Control::check(const Scope& scope, TimePoint now) const {
  const std::lock_guard lock(m_mutex);
  if (scope.obeys_job) {
    if (m_aborted) return Stop::aborted;
    if (m_job_canceled) return Stop::canceled;
    if (scope.obeys_interrupt && m_interrupted) return Stop::interrupted;
    if (scope.is_script && m_script_canceled) return Stop::script_canceled;
  }
  for (const Scope::Deadline& deadline : scope.deadlines) {
    if (now >= deadline.at) return deadline.reason;
  }
  return Stop::none;
}

}  // namespace berth::local::runner
