#include "cli/local/pipeline/yaml_scalar.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

namespace berth::local::pipeline {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string without(std::string_view text, std::string_view dropped) {
  std::string out;
  for (const char c : text) {
    if (dropped.find(c) == std::string_view::npos) out += c;
  }
  return out;
}

/// A sign taken off the front.
bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool minus = text[0] == '-';
  text.remove_prefix(1);
  return minus;
}

std::optional<std::string> integer_of(std::string_view digits, int base, bool minus) {
  const std::string clean = without(digits, "_,");
  // Ruby's Integer() takes no leading, trailing or doubled underscore; the
  // patterns before it have let only those of octal, binary and hex through.
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(clean.data(), clean.data() + clean.size(), value, base);
  if (end != clean.data() + clean.size() || clean.empty()) return std::nullopt;
  std::string text;
  if (error == std::errc::result_out_of_range) {
    if (base != 10) return std::nullopt;
    text = clean;
  } else {
    text = std::to_string(value);
  }
  return (minus && text != "0" ? "-" : "") + text;
}

std::optional<std::string> as_integer(std::string_view text) {
  const bool minus = take_sign(text);
  if (text.empty() || !digit(text[0])) return std::nullopt;
  const auto all_of = [](std::string_view part, std::string_view allowed) {
    return !part.empty() && part.find_first_not_of(allowed) == std::string_view::npos;
  };
  if (text == "0") return "0";
  if (text[0] == '0') {
    if (text.size() > 2 && text[1] == 'b' && all_of(text.substr(2), "01_,")) {
      return integer_of(text.substr(2), 2, minus);
    }
    if (text.size() > 2 && text[1] == 'x' && all_of(text.substr(2), "0123456789abcdefABCDEF_,")) {
      return integer_of(text.substr(2), 16, minus);
    }
    if (all_of(text.substr(1), "01234567_,")) {
      const std::string clean = without(text.substr(1), "_,");
      return clean.empty() ? std::optional<std::string>("0") : integer_of(clean, 8, minus);
    }
    return std::nullopt;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (digit(text[i])) continue;
    const bool separator = (text[i] == '_' || text[i] == ',') && i + 1 < text.size();
    if (!separator || !digit(text[i + 1])) return std::nullopt;
  }
  return integer_of(text, 10, minus);
}

/// 1:30, 12:30:45.5 in base 60, as Psych counts them: hours first, always.
std::optional<Scalar> as_base60(std::string_view whole) {
  std::string_view text = whole;
  const bool minus = take_sign(text);
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  const bool real = parts.back().find('.') != std::string::npos;
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string part = parts[i];
    if (real && i + 1 == parts.size()) {
      const std::size_t dot = part.find('.');
      if (part.find_first_not_of("0123456789_", dot + 1) != std::string::npos) return std::nullopt;
      part.resize(dot);
    }
    const std::string_view allowed = i == 0 ? "0123456789_" : "0123456789";
    if (part.empty() || !digit(part[0]) || part.find_first_not_of(allowed) != std::string::npos) {
      return std::nullopt;
    }
    if (i > 0 && (part.size() > 2 || (part.size() == 2 && part[0] > '5'))) return std::nullopt;
    if (part.size() > 12) return std::nullopt;
    const double number = std::strtod(without(parts[i], "_").c_str(), nullptr);
    // Only the first part carries the sign, in Psych too.
    sum += (i == 0 && minus ? -number : number) * std::pow(60.0, i == 0 ? 2 : i == 1 ? 1 : 0);
  }
  if (real) return Scalar{Value::Kind::real, ruby_float(sum)};
  return Scalar{Value::Kind::integer, std::to_string(static_cast<std::int64_t>(sum))};
}

std::optional<std::string> as_real(std::string_view whole) {
  std::string_view text = whole;
  take_sign(text);
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text == ".") return std::nullopt;
  const std::string_view before = text.substr(0, dot);
  std::string_view after = text.substr(dot + 1);
  if (!before.empty() &&
      (!digit(before[0]) || before.find_first_not_of("0123456789_,") != std::string_view::npos)) {
    return std::nullopt;
  }
  std::size_t decimals = 0;
  while (decimals < after.size() && digit(after[decimals])) ++decimals;
  after.remove_prefix(decimals);
  if (!after.empty()) {
    if (after.size() < 3 || (after[0] != 'e' && after[0] != 'E')) return std::nullopt;
    if (after[1] != '+' && after[1] != '-') return std::nullopt;
    if (after.substr(2).find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
  }
  const std::string clean = without(whole, "_,");
  return ruby_float(std::strtod(clean.c_str(), nullptr));
}

/// 2020-01-31, with or without a time behind it.
bool as_date(std::string_view text) {
  const auto digits = [&](std::size_t least, std::size_t most) {
    std::size_t n = 0;
    while (n < text.size() && n < most && digit(text[n])) ++n;
    const std::string_view taken = text.substr(0, n);
    text.remove_prefix(n);
    return n >= least ? std::optional<int>(std::atoi(std::string(taken).c_str())) : std::nullopt;
  };
  const auto dash = [&] {
    if (text.empty() || text[0] != '-') return false;
    text.remove_prefix(1);
    return true;
  };
  if (!digits(4, 4) || !dash()) return false;
  const auto month = digits(1, 2);
  if (!month || !dash()) return false;
  const auto day = digits(1, 2);
  if (!day) return false;
  if (text.empty()) return *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31;
  if (text[0] != 'T' && text[0] != 't' && text[0] != ' ') return false;
  text.remove_prefix(1);
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  return digits(1, 2) && !text.empty() && text[0] == ':' && text.size() >= 6 && digit(text[1]) &&
         digit(text[2]) && text[3] == ':' && digit(text[4]) && digit(text[5]);
}

}  // namespace

std::string ruby_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  std::array<char, 64> buffer{};
  const auto done = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                  std::chars_format::scientific);
  const std::string_view shortest(buffer.data(),
                                  static_cast<std::size_t>(done.ptr - buffer.data()));
  const std::size_t e = shortest.find('e');
  const int exponent = std::atoi(std::string(shortest.substr(e + 1)).c_str());
  std::string digits = without(shortest.substr(0, e), ".");
  std::string text = value < 0 ? "-" : "";
  // Ruby writes positions of the point from -3 to 16 without an exponent.
  const int point = exponent + 1;
  if (point > 16 || point <= -4) {
    if (digits.size() == 1) digits += '0';
    return text + fmt::format("{}.{}e{}{:02}", digits[0], digits.substr(1),
                              exponent < 0 ? "-" : "+", std::abs(exponent));
  }
  if (point <= 0) return text + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  const auto whole = static_cast<std::size_t>(point);
  if (digits.size() <= whole) digits += std::string(whole - digits.size() + 1, '0');
  return text + digits.substr(0, whole) + "." + digits.substr(whole);
}

Scalar resolve_scalar(std::string_view text) {
  using Kind = Value::Kind;
  const std::string small = text.size() <= 5 ? lower(text) : std::string{};
  if (text.empty() || text == "~" || small == "null") return {Kind::null, ""};
  if (small == "yes" || small == "true" || small == "on") return {Kind::boolean, "true"};
  if (small == "no" || small == "false" || small == "off") return {Kind::boolean, "false"};
  if (small == ".inf" || small == "+.inf") return {Kind::real, "Infinity"};
  if (small == "-.inf") return {Kind::real, "-Infinity"};
  if (small == ".nan") return {Kind::real, "NaN"};
  if (text[0] == ':' && text.size() > 1) {
    std::string_view name = text.substr(1);
    if (name.size() >= 2 && (name[0] == '"' || name[0] == '\'') && name.back() == name[0]) {
      name = name.substr(1, name.size() - 2);
    }
    return {Kind::symbol, std::string(name)};
  }
  if (text.find('\n') != std::string_view::npos || text.size() > 400) {
    return {Kind::string, std::string(text)};
  }
  if (as_date(text)) return {Kind::string, std::string(text), true};
  if (const auto base60 = as_base60(text)) return *base60;
  if (const auto real = as_real(text)) return {Kind::real, *real};
  if (const auto integer = as_integer(text)) return {Kind::integer, *integer};
  return {Kind::string, std::string(text)};
}

}  // namespace berth::local::pipeline
