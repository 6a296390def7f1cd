#include "executor/agentlink/waiter.hpp"

#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

namespace berth::agentlink {
namespace {

class SystemWaiter final : public Waiter {
 public:
  TimePoint now() const override { return support::system_clock().now(); }

  void wait(std::span<pollfd> fds, TimePoint until) override {
    using std::chrono::duration_cast;
    auto left = until - now();
    if (left < left.zero()) left = left.zero();
    const auto seconds = duration_cast<std::chrono::seconds>(left);
    timespec limit{};
    limit.tv_sec = static_cast<time_t>(seconds.count());
    limit.tv_nsec = duration_cast<std::chrono::nanoseconds>(left - seconds).count();
    if (::ppoll(fds.data(), fds.size(), &limit, nullptr) >= 0) return;
    if (errno != EINTR)
      throw support::SystemError("waiting for the agent: poll: " + support::errno_text(errno));
    for (pollfd& fd : fds) fd.revents = 0;
  }
};

}  // namespace

Waiter& system_waiter() {
  static SystemWaiter waiter;
  return waiter;
}

StopSignal::StopSignal(std::stop_token stop)
    : m_stop(std::move(stop)), m_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!m_event)
    throw support::SystemError("waiting for the agent: eventfd: " + support::errno_text(errno));
  m_callback.emplace(m_stop, Wake{m_event.get()});
}

void StopSignal::Wake::operator()() const noexcept {
  const std::uint64_t one = 1;
  // Only a full counter could fail, and then the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

}  // namespace berth::agentlink
