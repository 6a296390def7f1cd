#include "executor/support/retry.hpp"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <random>

namespace berth::support {

std::chrono::milliseconds delay(const Backoff& backoff, unsigned attempt, double random) {
  // 2^62 milliseconds are beyond every max, and still no overflow in a double.
  const unsigned doublings = std::min(attempt > 0 ? attempt - 1 : 0, 62U);
  const double step =
      std::min(std::ldexp(static_cast<double>(backoff.first.count()), static_cast<int>(doublings)),
               static_cast<double>(backoff.max.count()));
  return std::chrono::milliseconds(static_cast<std::int64_t>(step / 2 + step / 2 * random));
}

double random_unit() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace berth::support
