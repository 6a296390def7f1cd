#include "cli/local/pipeline/duration.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

namespace berth::local::pipeline {
namespace {

struct Unit {
  std::string_view word;
  double seconds;
};

constexpr double k_minute = 60;
constexpr double k_hour = 3600;
constexpr double k_day = 86400;
constexpr double k_week = 7 * k_day;
constexpr double k_month = 30 * k_day;
constexpr double k_year = 31557600;

constexpr std::array<Unit, 33> k_units{{
    {"s", 1},
    {"sec", 1},
    {"secs", 1},
    {"second", 1},
    {"seconds", 1},
    {"m", k_minute},
    {"min", k_minute},
    {"mins", k_minute},
    {"minute", k_minute},
    {"minutes", k_minute},
    {"h", k_hour},
    {"hr", k_hour},
    {"hrs", k_hour},
    {"hour", k_hour},
    {"hours", k_hour},
    {"d", k_day},
    {"dy", k_day},
    {"day", k_day},
    {"days", k_day},
    {"w", k_week},
    {"wk", k_week},
    {"wks", k_week},
    {"week", k_week},
    {"weeks", k_week},
    {"mo", k_month},
    {"mos", k_month},
    {"month", k_month},
    {"months", k_month},
    {"y", k_year},
    {"yr", k_year},
    {"yrs", k_year},
    {"year", k_year},
    {"years", k_year},
}};

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// "2:30:00", "10:30" (minutes and seconds).
std::optional<double> clock_time(std::string_view text) {
  std::vector<double> parts(1, 0);
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ':' && digits > 0) {
      parts.push_back(0);
      digits = 0;
    } else if (digit(c) && ++digits < 9) {
      parts.back() = parts.back() * 10 + (c - '0');
    } else {
      return std::nullopt;
    }
  }
  if (digits == 0 || parts.size() < 2 || parts.size() > 3) return std::nullopt;
  double seconds = 0;
  for (const double part : parts) seconds = seconds * 60 + part;
  return seconds;
}

class Reader {
 public:
  explicit Reader(std::string_view text) {
    for (const char c : text) {
      m_text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }

  std::optional<double> run() {
    double sum = 0;
    bool any = false;
    while (true) {
      skip_joints();
      if (m_at == m_text.size()) break;
      const auto number = take_number();
      if (!number) return std::nullopt;
      skip_blanks();
      const std::string_view word = take_word();
      const auto factor = word.empty() ? std::optional<double>(1) : seconds_of(word);
      if (!factor) return std::nullopt;
      sum += *number * *factor;
      any = true;
    }
    return any ? std::optional<double>(sum) : std::nullopt;
  }

 private:
  void skip_blanks() {
    while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\t')) ++m_at;
  }

  /// Blanks, commas, and the words "and", "with", "plus" between two parts.
  void skip_joints() {
    while (m_at < m_text.size()) {
      const char c = m_text[m_at];
      if (c == ' ' || c == '\t' || c == ',' || c == '\n') {
        ++m_at;
        continue;
      }
      const std::size_t start = m_at;
      const std::string_view word = take_word();
      if (word == "and" || word == "with" || word == "plus") continue;
      m_at = start;
      return;
    }
  }

  std::optional<double> take_number() {
    const std::size_t start = m_at;
    while (m_at < m_text.size() && (digit(m_text[m_at]) || m_text[m_at] == '.')) ++m_at;
    const std::string text = m_text.substr(start, m_at - start);
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || end != text.c_str() + text.size()) return std::nullopt;
    return number;
  }

  std::string_view take_word() {
    const std::size_t start = m_at;
    while (m_at < m_text.size() && m_text[m_at] >= 'a' && m_text[m_at] <= 'z') ++m_at;
    return std::string_view(m_text).substr(start, m_at - start);
  }

  static std::optional<double> seconds_of(std::string_view word) {
    for (const Unit& unit : k_units) {
      if (unit.word == word) return unit.seconds;
    }
    return std::nullopt;
  }

  std::string m_text;
  std::size_t m_at = 0;
};

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  auto seconds = clock_time(text);
  if (!seconds) seconds = Reader(text).run();
  // A century is more than any limit of GitLab's.
  if (!seconds || !std::isfinite(*seconds) || *seconds < 1 || *seconds > 100 * k_year) {
    return std::nullopt;
  }
  return std::chrono::seconds(static_cast<std::int64_t>(*seconds));
}

}  // namespace berth::local::pipeline
