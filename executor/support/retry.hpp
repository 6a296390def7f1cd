#pragma once

#include <chrono>
#include <stop_token>

namespace berth::support {

/// How long to wait between tries: first, doubled each time, at most max.
struct Backoff {
  std::chrono::milliseconds first{50};
  std::chrono::milliseconds max{5000};
};

/// The wait before try number `attempt` + 1, `attempt` failed ones lying behind
/// (1 is the first). `random` in [0, 1) spreads it over the upper half of the
/// step, so that jobs that failed together do not come back together. Pure.
std::chrono::milliseconds delay(const Backoff& backoff, unsigned attempt, double random);

/// A number in [0, 1). Thread-safe.
double random_unit();

/// Waits, and returns true; false as soon as stop is requested.
bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace berth::support
