#include "executor/environments/names.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace berth::environments {
namespace {

constexpr std::size_t k_longest_plain = 200;
constexpr std::size_t k_longest_slug = 26;

/// FNV-1a, 64 bit: only to part names that look alike.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 14695981039346656037ULL;
  for (const char c : text) {
    value ^= static_cast<unsigned char>(c);
    value *= 1099511628211ULL;
  }
  return value;
}

bool is_small(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_big(char c) {
  return c >= 'A' && c <= 'Z';
}

}  // namespace

std::string directory_name(const std::string& environment) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  std::string name;
  for (const char c : environment) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_small(c) || is_big(c) || c == '-' || c == '_' || (c == '.' && !name.empty())) {
      name += c;
    } else {
      name += '%';
      name += k_digits[byte >> 4U];
      name += k_digits[byte & 15U];
    }
  }
  if (name.empty()) return "%";
  if (name.size() <= k_longest_plain) return name;
  return fmt::format("{}~{:016x}", name.substr(0, k_longest_plain), hash(environment));
}

std::string object_name(const std::string& environment) {
  std::string slug;
  for (const char c : environment) {
    if (slug.size() == k_longest_slug) break;
    if (is_small(c))
      slug += c;
    else if (is_big(c))
      slug += static_cast<char>(c - 'A' + 'a');
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return fmt::format("berth-env-{}{}{:016x}", slug, slug.empty() ? "" : "-", hash(environment));
}

}  // namespace berth::environments
