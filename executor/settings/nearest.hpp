#pragma once

#include <string_view>
#include <vector>

namespace berth::settings {

/// The candidate with the fewest edits (insert, delete, replace, swap of
/// neighbours) from `word`; empty where none is near enough to be meant.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace berth::settings
