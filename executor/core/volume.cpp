#include "executor/core/volume.hpp"

#include <algorithm>
#include <array>

namespace berth::core {
namespace {

constexpr std::array<std::string_view, 11> k_modes{
    "ro", "rw", "O", "z", "Z", "shared", "slave", "private", "rshared", "rslave", "rprivate"};

bool is_mode(std::string_view mode) {
  while (true) {
    const std::size_t comma = mode.find(',');
    const std::string_view one = mode.substr(0, comma);
    if (std::find(k_modes.begin(), k_modes.end(), one) == k_modes.end()) return false;
    if (comma == std::string_view::npos) return true;
    mode.remove_prefix(comma + 1);
  }
}

bool has_parent_component(std::string_view path) {
  return (std::string(path) + "/").find("/../") != std::string::npos;
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::string clean;
  for (const char c : path) {
    if (c != '/' || !clean.ends_with('/')) clean += c;
  }
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

std::optional<VolumeEntry> parse_volume(std::string_view text) {
  VolumeEntry entry;
  if (!text.starts_with('/') || text.find(":/") != std::string_view::npos) {
    const std::size_t colon = text.find(":/");
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    entry.source = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    if (entry.source.find(':') != std::string::npos) return std::nullopt;
    if (entry.source.find('/') != std::string::npos && !entry.source.starts_with('/')) {
      return std::nullopt;
    }
  }
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    entry.mode = text.substr(colon + 1);
    if (entry.source.empty() || !is_mode(entry.mode)) return std::nullopt;
    text = text.substr(0, colon);
  }
  entry.destination = clean_path(text);
  if (entry.destination == "/" || has_parent_component(entry.destination) ||
      has_parent_component(entry.source)) {
    return std::nullopt;
  }
  return entry;
}

}  // namespace berth::core
