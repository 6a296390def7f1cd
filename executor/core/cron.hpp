#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Points in time that come again, as crontab(5) writes them. Pure; without zones.
namespace berth::core {

/// minute hour day-of-month month day-of-week: numbers, ranges, steps, lists, `*`,
/// and names (jan, mon) in any case; 0 and 7 are Sunday. Where both kinds of day are
/// restricted, one that fits either of them counts (crontab(5)).
struct Cron {
  std::bitset<60> minutes{};
  std::bitset<24> hours{};
  /// From 1.
  std::bitset<32> days{};
  /// From 1.
  std::bitset<13> months{};
  /// From Sunday.
  std::bitset<7> weekdays{};
  /// The field begins with `*`.
  bool any_day = false;
  bool any_weekday = false;
  /// As written.
  std::string text{};

  bool operator==(const Cron&) const = default;

  bool on(std::chrono::year_month_day date) const;
};

/// Nothing where the text is none, or names no day there is (February 30th).
std::optional<Cron> parse_cron(std::string_view text);

}  // namespace berth::core
