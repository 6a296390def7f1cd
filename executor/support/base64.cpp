#include "executor/support/base64.hpp"

#include <cstdint>
#include <utility>

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
  return c == ' ' || (c >= '\t' && c <= '\r');
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

Base64Reading read_base64(std::string_view text) {
  using End = Base64Reading::End;
  Base64Reading reading;
  reading.bytes.reserve(text.size() / 4 * 3 + 3);
  bool standard_alphabet = false;
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
    if (value == 64 || padding > 0) {
      reading.end = value == 64 ? End::foreign : End::after_padding;
      return reading;
    }
    reading.url_alphabet |= c == '-' || c == '_';
    standard_alphabet |= c == '+' || c == '/';
    group = group << 6U | value;
    if (++digits == 4) {
      reading.bytes += static_cast<char>(group >> 16U & 255U);
      reading.bytes += static_cast<char>(group >> 8U & 255U);
      reading.bytes += static_cast<char>(group & 255U);
      group = 0;
      digits = 0;
    }
  }
  if (digits == 1 || (padding > 0 && (digits == 0 || digits + padding != 4))) {
    reading.end = End::cut;
    return reading;
  }
  reading.unpadded = digits != 0 && padding == 0;
  if ((digits == 2 && (group & 15U) != 0) || (digits == 3 && (group & 3U) != 0)) {
    reading.end = End::loose_bits;
    return reading;
  }
  if (digits == 2) {
    reading.bytes += static_cast<char>(group >> 4U & 255U);
  } else if (digits == 3) {
    reading.bytes += static_cast<char>(group >> 10U & 255U);
    reading.bytes += static_cast<char>(group >> 2U & 255U);
  }
  if (reading.url_alphabet && standard_alphabet) reading.end = End::mixed;
  return reading;
}

std::optional<std::string> base64_decode(std::string_view text) {
  Base64Reading reading = read_base64(text);
  if (reading.end != Base64Reading::End::whole) return std::nullopt;
  return std::move(reading.bytes);
}

}  // namespace berth::support
