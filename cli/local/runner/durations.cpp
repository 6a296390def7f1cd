#include "cli/local/runner/durations.hpp"

#include <cctype>
#include <cstdlib>
#include <string>
#include <utility>

namespace berth::local::runner {
namespace {

/// Milliseconds in one unit; longest names first.
constexpr std::pair<std::string_view, double> k_units[] = {
    {"ms", 1.0},   {"us", 1e-3},    {"\xC2\xB5s", 1e-3}, {"ns", 1e-6},
    {"s", 1000.0}, {"m", 60'000.0}, {"h", 3'600'000.0},
};

}  // namespace

std::optional<std::chrono::milliseconds> parse_go_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::milliseconds{0};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[digits])) != 0 || text[digits] == '.')) {
      ++digits;
    }
    const std::string number(text.substr(0, digits));
    if (number.empty() || number == "." || number.find('.') != number.rfind('.'))
      return std::nullopt;
    text.remove_prefix(digits);
    bool known = false;
    for (const auto& [name, milliseconds] : k_units) {
      if (!text.starts_with(name)) continue;
      total += std::strtod(number.c_str(), nullptr) * milliseconds;
      text.remove_prefix(name.size());
      known = true;
      break;
    }
    if (!known) return std::nullopt;
  }
  return std::chrono::milliseconds{static_cast<std::int64_t>(negative ? -total : total)};
}

}  // namespace berth::local::runner
