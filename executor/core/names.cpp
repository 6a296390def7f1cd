#include "executor/core/names.hpp"

#include <fmt/format.h>

namespace berth::core {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return fmt::format("{:016x}", hash);
}

std::string sanitize_name(std::string_view text, std::size_t limit) {
  std::string name;
  for (const char raw : text.substr(0, limit)) {
    const char c = lower(raw);
    name += is_alphanumeric(c) || c == '.' || c == '-' ? c : '_';
  }
  return name.empty() ? "x" : name;
}

std::string host_label(std::string_view text) {
  std::string label;
  for (const char raw : text) {
    const char c = lower(raw);
    if (is_alphanumeric(c) || (c == '-' && !label.empty())) label += c;
    if (label.size() == 63) break;
  }
  while (label.ends_with('-')) label.pop_back();
  return label;
}

}  // namespace berth::core
