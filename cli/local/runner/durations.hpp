#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace berth::local::runner {

/// A duration as Go's time.ParseDuration reads it ("1h30m", "1.5s", "-2m");
/// nothing when the text is none.
std::optional<std::chrono::milliseconds> parse_go_duration(std::string_view text);

}  // namespace berth::local::runner
