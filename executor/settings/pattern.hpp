#pragma once

#include <string_view>

/// Regular expressions of `_overwrite_allowed` keys: RE2, whose syntax is that of
/// the built-in executor (Go's regexp), and whose time no text can blow up.
namespace berth::settings {

bool pattern_valid(std::string_view pattern);

/// Whether the pattern is found anywhere in the text. An invalid one is found
/// nowhere.
bool pattern_found(std::string_view pattern, std::string_view text);

}  // namespace berth::settings
