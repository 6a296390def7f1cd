#include "executor/core/overdue.hpp"

#include <ctime>

namespace berth::core {

bool is_overdue(std::int64_t deadline, std::int64_t now) {
  return deadline > 0 && now > deadline && now - deadline > k_clock_tolerance;
}

std::string utc_minute(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "?";
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts));
  return text;
}

}  // namespace berth::core
