#include "executor/settings/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace berth::settings {
namespace {

/// Digits with at most one point. from_chars alone would take "inf" and "1e9".
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole(double value) {
  constexpr double k_limit = 9.0e18;  // below 2^63
  if (!(value >= 0 && value < k_limit)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  const std::size_t unit_at = text.find_first_not_of("0123456789.");
  const std::optional<double> number = decimal(text.substr(0, unit_at));
  if (!number) return std::nullopt;
  double factor = 1;
  if (unit_at != std::string_view::npos) {
    std::string unit(text.substr(unit_at));
    if (unit.front() == ' ') unit.erase(0, 1);
    for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    constexpr std::string_view k_units = "bkmgtp";
    const std::size_t power = unit.empty() ? std::string_view::npos : k_units.find(unit.front());
    if (power == std::string_view::npos) return std::nullopt;
    const std::string_view rest = std::string_view(unit).substr(1);
    if (!rest.empty() && (power == 0 || (rest != "b" && rest != "ib"))) return std::nullopt;
    factor = std::ldexp(1.0, static_cast<int>(power) * 10);
  }
  return whole(*number * factor);
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t k_limit = 100L * 365 * 24 * 3600;
  if (const std::optional<std::int64_t> plain = integer(text)) {
    if (*plain > k_limit || *plain < -k_limit) return std::nullopt;
    return std::chrono::seconds(*plain);
  }
  constexpr std::array<std::pair<char, std::int64_t>, 4> k_units{
      {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
  std::size_t next_unit = 0;  // units come in this order, each once
  std::int64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const std::optional<std::int64_t> number = integer(text.substr(0, digits));
    while (next_unit < k_units.size() && k_units.at(next_unit).first != text[digits]) ++next_unit;
    if (!number || *number > k_limit || next_unit == k_units.size()) return std::nullopt;
    total += *number * k_units.at(next_unit++).second;
    if (total > k_limit) return std::nullopt;
    text.remove_prefix(digits + 1);
  }
  return std::chrono::seconds(total);
}

std::optional<std::int64_t> parse_cpus(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<double> number = decimal(text.substr(0, slash));
  const std::optional<double> divisor =
      slash == std::string_view::npos ? 1.0 : decimal(text.substr(slash + 1));
  if (!number || !divisor || *divisor == 0) return std::nullopt;
  const std::optional<std::int64_t> nano = whole(std::round(*number / *divisor * 1e9));
  return nano && *nano > 0 ? nano : std::nullopt;
}

}  // namespace berth::settings
