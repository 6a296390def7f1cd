#include "executor/settings/quantity.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace berth::settings {
namespace {

__extension__ typedef __int128 Wide;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the digits at the beginning of `text` into `value`; how many, or
/// nothing where they do not fit.
std::optional<int> take_digits(std::string_view& text, Wide& value) {
  int count = 0;
  while (!text.empty() && is_digit(text.front())) {
    Wide next = 0;
    if (__builtin_mul_overflow(value, Wide{10}, &next) ||
        __builtin_add_overflow(next, Wide{text.front() - '0'}, &value)) {
      return std::nullopt;
    }
    text.remove_prefix(1);
    ++count;
  }
  return count;
}

/// What a suffix multiplies by: 2^binary * 10^decimal.
struct Factor {
  int binary = 0;
  int decimal = 0;
};

std::optional<Factor> parse_suffix(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Factor>, 16> k_suffixes{{{"", {}},
                                                                            {"n", {0, -9}},
                                                                            {"u", {0, -6}},
                                                                            {"m", {0, -3}},
                                                                            {"k", {0, 3}},
                                                                            {"M", {0, 6}},
                                                                            {"G", {0, 9}},
                                                                            {"T", {0, 12}},
                                                                            {"P", {0, 15}},
                                                                            {"E", {0, 18}},
                                                                            {"Ki", {10, 0}},
                                                                            {"Mi", {20, 0}},
                                                                            {"Gi", {30, 0}},
                                                                            {"Ti", {40, 0}},
                                                                            {"Pi", {50, 0}},
                                                                            {"Ei", {60, 0}}}};
  for (const auto& [suffix, factor] : k_suffixes) {
    if (suffix == text) return factor;
  }
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (exponent > 1000 || exponent < -1000) return std::nullopt;
  return Factor{0, exponent};
}

/// value * 10^power, rounded away from zero; nothing where it does not fit.
std::optional<Wide> scale(Wide value, int power) {
  for (; power > 0 && value != 0; --power) {
    if (__builtin_mul_overflow(value, Wide{10}, &value)) return std::nullopt;
  }
  bool rest = false;
  for (; power < 0 && value != 0; ++power) {
    rest = rest || value % 10 != 0;
    value /= 10;
  }
  return rest ? value + 1 : value;
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Wide digits = 0;
  const std::optional<int> whole = take_digits(text, digits);
  if (!whole) return std::nullopt;
  int places = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::optional<int> fraction = take_digits(text, digits);
    if (!fraction) return std::nullopt;
    places = *fraction;
  }
  if (*whole + places == 0) return std::nullopt;
  const std::optional<Factor> factor = parse_suffix(text);
  if (!factor) return std::nullopt;
  if (__builtin_mul_overflow(digits, Wide{1} << factor->binary, &digits)) return std::nullopt;
  const std::optional<Wide> nano = scale(digits, factor->decimal - places + 9);
  if (!nano) return std::nullopt;
  Quantity quantity;
  quantity.m_nano = negative ? -*nano : *nano;
  return quantity;
}

std::strong_ordering Quantity::operator<=>(const Quantity& other) const {
  if (m_nano < other.m_nano) return std::strong_ordering::less;
  return m_nano > other.m_nano ? std::strong_ordering::greater : std::strong_ordering::equal;
}

}  // namespace berth::settings
