#pragma once

#include "agent/options.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace berth::agent {

/// The file by which the agents of one job tell each other that a driver lives:
/// its time of change moves. Nothing else is read from it; the job may write it.
class Lease {
 public:
  /// As Options::lease.
  explicit Lease(const std::string& path);

  /// Moves the time of change, making the file for every user where it is
  /// missing. False: errno tells why.
  bool touch() const;
  /// Writes so many bytes into a new file beside it, of which no filesystem makes
  /// less. False: errno tells why.
  bool overfill(std::int64_t bytes) const;
  /// Time of change in nanoseconds since 1970.
  std::optional<std::int64_t> changed() const;
  const std::string& path() const noexcept { return m_path; }

 private:
  std::string m_path;
};

enum class Verdict { live, orphaned, past_deadline };

/// Decides when the container has outlived its job. Ages are taken on this
/// machine's monotonic clock, from one look at the lease to the next, so that a
/// corrected wall clock ends no job; only the deadline is a time of day.
class Watchdog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Watchdog(const Options& options, TimePoint now);

  /// A whole frame came from a driver.
  void heard() noexcept { m_heard = true; }
  /// One look, every Options::tick. `wall` in seconds since 1970.
  Verdict tick(TimePoint now, std::int64_t wall);
  /// Once the verdict is an end: what Options::overfill asks for.
  void overfill() const;

 private:
  Lease m_lease;
  std::chrono::milliseconds m_orphan;
  std::int64_t m_deadline;
  std::int64_t m_overfill;
  bool m_heard = false;
  bool m_complained = false;
  std::optional<std::int64_t> m_changed;
  TimePoint m_alive;
};

}  // namespace berth::agent
