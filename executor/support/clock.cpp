#include "executor/support/clock.hpp"

namespace berth::support {
namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::now();
  }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::now();
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(system_clock().wall().time_since_epoch())
      .count();
}

}  // namespace berth::support
