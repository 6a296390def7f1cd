#include "executor/core/cron.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

namespace berth::core {
namespace {

constexpr std::array<std::string_view, 12> k_months{"jan", "feb", "mar", "apr", "may", "jun",
                                                    "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> k_weekdays{"sun", "mon", "tue", "wed",
                                                     "thu", "fri", "sat"};
constexpr std::array<unsigned, 13> k_longest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

struct Field {
  unsigned low = 0;
  unsigned high = 0;
  /// Of `low` and what follows it; empty: none.
  const std::string_view* names = nullptr;
  unsigned name_count = 0;
};

bool same_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

std::optional<unsigned> number(std::string_view text, const Field& field) {
  for (unsigned i = 0; i < field.name_count; ++i) {
    if (same_word(text, field.names[i])) return field.low + i;
  }
  unsigned value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (text.empty() || error != std::errc() || end != last) return std::nullopt;
  if (value < field.low || value > field.high) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// `*`, `a`, `a-b`, each with `/step`.
template <std::size_t N>
bool read_part(std::string_view text, const Field& field, std::bitset<N>& set) {
  unsigned step = 1;
  const auto stepped = split(text, '/');
  if (stepped.size() > 2) return false;
  if (stepped.size() == 2) {
    const auto value = number(stepped[1], {.low = 1, .high = field.high});
    if (!value) return false;
    step = *value;
  }
  unsigned first = field.low;
  unsigned last = field.high;
  if (stepped[0] != "*") {
    const auto range = split(stepped[0], '-');
    const auto from = number(range[0], field);
    const auto to = range.size() == 2 ? number(range[1], field) : from;
    if (!from || !to || *from > *to || range.size() > 2) return false;
    first = *from;
    // "5/10" is "5-59/10".
    last = range.size() == 1 && stepped.size() == 2 ? field.high : *to;
  }
  for (unsigned i = first; i <= last; i += step) set.set(i);
  return true;
}

template <std::size_t N>
bool read_field(std::string_view text, const Field& field, std::bitset<N>& set) {
  const auto parts = split(text, ',');
  return std::all_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return read_part(part, field, set); });
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> all;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return all;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    all.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

/// Some day of some year fits.
bool ever(const Cron& cron) {
  if (!cron.any_weekday) return true;
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; cron.months.test(month) && day <= k_longest.at(month); ++day) {
      if (cron.days.test(day)) return true;
    }
  }
  return false;
}

}  // namespace

bool Cron::on(std::chrono::year_month_day date) const {
  if (!date.ok() || !months.test(static_cast<unsigned>(date.month()))) return false;
  const bool day = days.test(static_cast<unsigned>(date.day()));
  const bool weekday =
      weekdays.test(std::chrono::weekday(std::chrono::sys_days(date)).c_encoding());
  return any_day || any_weekday ? day && weekday : day || weekday;
}

std::optional<Cron> parse_cron(std::string_view text) {
  const auto fields = words(text);
  if (fields.size() != 5) return std::nullopt;
  Cron cron;
  std::bitset<8> weekdays;
  const bool good =
      read_field(fields[0], {.low = 0, .high = 59}, cron.minutes) &&
      read_field(fields[1], {.low = 0, .high = 23}, cron.hours) &&
      read_field(fields[2], {.low = 1, .high = 31}, cron.days) &&
      read_field(fields[3],
                 {.low = 1, .high = 12, .names = k_months.data(), .name_count = k_months.size()},
                 cron.months) &&
      read_field(fields[4],
                 {.low = 0, .high = 7, .names = k_weekdays.data(), .name_count = k_weekdays.size()},
                 weekdays);
  if (!good) return std::nullopt;
  if (weekdays.test(7)) weekdays.set(0);
  for (std::size_t i = 0; i < 7; ++i) cron.weekdays.set(i, weekdays.test(i));
  cron.any_day = fields[2].starts_with('*');
  cron.any_weekday = fields[4].starts_with('*');
  cron.text = text;
  if (!ever(cron)) return std::nullopt;
  return cron;
}

}  // namespace berth::core
