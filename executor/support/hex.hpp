#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace berth::support {

/// Two lower-case digits a byte.
inline std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += k_digits[byte >> 4];
    text += k_digits[byte & 0xf];
  }
  return text;
}

}  // namespace berth::support
