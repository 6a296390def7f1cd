#pragma once

#include "executor/support/fd.hpp"

#include <chrono>
#include <optional>
#include <poll.h>
#include <span>
#include <stop_token>

namespace berth::agentlink {

/// Time and waiting as the link sees them, so that tests need neither sleep nor
/// a second thread: a test's waiter moves its own clock on.
class Waiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~Waiter() = default;
  virtual TimePoint now() const = 0;
  /// As poll(2): returns when a descriptor is ready or `until` has come; may
  /// return early. Sets revents.
  virtual void wait(std::span<pollfd> fds, TimePoint until) = 0;
};

/// poll(2) and support::system_clock().
Waiter& system_waiter();

/// Makes a stop request visible to poll: the descriptor becomes readable when
/// stop is requested, and stays so.
class StopSignal {
 public:
  explicit StopSignal(std::stop_token stop);
  int fd() const noexcept { return m_event.get(); }
  bool requested() const noexcept { return m_stop.stop_requested(); }
  const std::stop_token& token() const noexcept { return m_stop; }

 private:
  struct Wake {
    int fd;
    void operator()() const noexcept;
  };

  std::stop_token m_stop;
  support::Fd m_event;
  std::optional<std::stop_callback<Wake>> m_callback;
};

}  // namespace berth::agentlink
