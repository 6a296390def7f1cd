#include "executor/agentlink/cancellation.hpp"

#include <csignal>

namespace berth::agentlink {

std::uint8_t Cancellation::signal() const noexcept {
  return killing() ? std::uint8_t{SIGKILL} : std::uint8_t{SIGTERM};
}

std::optional<std::uint8_t> Cancellation::advance(bool stop_requested, TimePoint now) {
  switch (m_phase) {
    case Phase::none:
      if (!stop_requested) return std::nullopt;
      m_phase = Phase::term;
      m_since = now;
      return signal();
    case Phase::term:
      if (now < next()) return std::nullopt;
      return kill(now);
    case Phase::kill:
      if (now >= next()) throw support::Cancelled();
      return std::nullopt;
  }
  return std::nullopt;
}

std::uint8_t Cancellation::kill(TimePoint now) noexcept {
  m_phase = Phase::kill;
  m_since = now;
  return signal();
}

Cancellation::TimePoint Cancellation::next() const noexcept {
  return m_since + (killing() ? m_limits.kill_wait : m_limits.grace);
}

}  // namespace berth::agentlink
