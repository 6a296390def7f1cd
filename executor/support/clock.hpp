#pragma once

#include <chrono>
#include <cstdint>

namespace berth::support {

/// Time as the program sees it, so that tests need not wait. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point now() const = 0;
  virtual std::chrono::system_clock::time_point wall() const = 0;
};

/// The machine's clock.
const Clock& system_clock();

/// The machine's wall clock in whole seconds since the epoch: how labels and state
/// files write points in time.
std::int64_t unix_seconds();

}  // namespace berth::support
