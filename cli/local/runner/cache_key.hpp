#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::local::runner {

/// The key as the runner may use it for a path: `%2f`, `%2e` and `\` decoded,
/// `.` and `..` resolved below a root, blanks at the end gone. Nothing when
/// nothing is left.
std::optional<std::string> sanitize_cache_key(std::string_view key);

/// SHA-256 in hex: the file name of the other scheme (FF_HASH_CACHE_KEYS).
std::string hashed_cache_key(std::string_view key);

}  // namespace berth::local::runner
