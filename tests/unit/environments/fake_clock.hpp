#pragma once

#include "executor/support/clock.hpp"

#include <chrono>
#include <cstdint>

namespace berth::tests {

/// Goes on only when told to.
class FakeClock final : public support::Clock {
 public:
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(m_now));
  }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(m_now));
  }
  std::int64_t seconds() const { return m_now; }
  void pass(std::int64_t seconds) { m_now += seconds; }

 private:
  std::int64_t m_now = 1795262400;
};

}  // namespace berth::tests
