#include "executor/support/base64.hpp"

#include <cstdint>

namespace berth::support {
namespace {

constexpr std::string_view k_standard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k_url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
}

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group =
        byte_at(bytes, i) << 16U | byte_at(bytes, i + 1) << 8U | byte_at(bytes, i + 2);
    text += alphabet[group >> 18U];
    text += alphabet[group >> 12U & 63U];
    text += i + 1 < bytes.size() ? alphabet[group >> 6U & 63U] : '=';
    text += i + 2 < bytes.size() ? alphabet[group & 63U] : '=';
  }
  return text;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// 0..63, or 64 for a character of neither alphabet.
std::uint32_t digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0') + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return 64;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  return encode(bytes, k_standard);
}

std::string base64url_encode(std::string_view bytes) {
  return encode(bytes, k_url);
}

std::optional<std::string> base64_decode(std::string_view text) {
  const bool standard = text.find_first_of("+/") != std::string_view::npos;
  const bool url = text.find_first_of("-_") != std::string_view::npos;
  if (standard && url) return std::nullopt;

  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned digits = 0;
  unsigned padding = 0;
  for (const char c : text) {
    if (is_blank(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::uint32_t value = digit(c);
    if (value == 64 || padding > 0) return std::nullopt;
    group = group << 6U | value;
    if (++digits == 4) {
      bytes += static_cast<char>(group >> 16U & 255U);
      bytes += static_cast<char>(group >> 8U & 255U);
      bytes += static_cast<char>(group & 255U);
      group = 0;
      digits = 0;
    }
  }
  if (digits == 1 || (padding > 0 && (digits == 0 || digits + padding != 4))) return std::nullopt;
  if (digits == 2) {
    if ((group & 15U) != 0) return std::nullopt;
    bytes += static_cast<char>(group >> 4U & 255U);
  } else if (digits == 3) {
    if ((group & 3U) != 0) return std::nullopt;
    bytes += static_cast<char>(group >> 10U & 255U);
    bytes += static_cast<char>(group >> 2U & 255U);
  }
  return bytes;
}

}  // namespace berth::support
