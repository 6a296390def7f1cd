#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::support {

/// A peer's words made fit to stand in a message: every run of blanks and control
/// characters becomes one blank, none at either end. Of a longer text no more than
/// `limit` bytes are kept, cut between UTF-8 characters, and "..." follows. Other
/// bytes stay as they are. Pure.
std::string one_line(std::string_view text, std::size_t limit = 1000);

}  // namespace berth::support
