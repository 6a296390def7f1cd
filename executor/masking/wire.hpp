#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers and texts in a row of bytes, as secrets travel from one of our programs to
/// the next. Inline: two users.
namespace berth::masking {

inline void put_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((number >> shift) & 0xffU);
}

inline void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

/// Nothing where the bytes end too early; otherwise they are taken from the front.
inline std::optional<std::uint64_t> take_number(std::string_view& bytes) {
  if (bytes.size() < 8) return std::nullopt;
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i)
    number = (number << 8U) | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  bytes.remove_prefix(8);
  return number;
}

inline std::optional<std::string_view> take_text(std::string_view& bytes) {
  const auto size = take_number(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const std::string_view text = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return text;
}

}  // namespace berth::masking
