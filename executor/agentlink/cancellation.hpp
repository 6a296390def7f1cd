#pragma once

#include "executor/agentlink/session.hpp"

#include <cstdint>
#include <optional>

namespace berth::agentlink {

/// The course of a cancel in time: TERM, after the grace KILL, after another
/// while nothing more to wait for. Pure: the session sends what it says.
class Cancellation {
 public:
  using TimePoint = Waiter::TimePoint;

  explicit Cancellation(const SessionLimits& limits) : m_limits(limits) {}

  /// A stop request has been seen.
  bool running() const noexcept { return m_phase != Phase::none; }
  /// KILL has been sent: the next EXIT is the end.
  bool killing() const noexcept { return m_phase == Phase::kill; }
  /// The signal of this phase, to be repeated on a new connection.
  std::uint8_t signal() const noexcept;

  /// Goes on by what is known and by the time; returns the signal to send where a
  /// phase begins. Throws support::Cancelled when the last one is over.
  std::optional<std::uint8_t> advance(bool stop_requested, TimePoint now);
  /// The stage's shell has ended: what it left behind is not given the rest of
  /// the grace. Returns the signal to send.
  std::uint8_t kill(TimePoint now) noexcept;

  /// When advance() has something to do without being told; only while running().
  TimePoint next() const noexcept;
  /// How long a lost agent is looked for; only while running().
  TimePoint reconnect_until() const noexcept { return m_since + m_limits.kill_wait; }

 private:
  enum class Phase { none, term, kill };

  const SessionLimits& m_limits;
  Phase m_phase = Phase::none;
  TimePoint m_since{};
};

}  // namespace berth::agentlink
