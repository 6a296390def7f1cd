#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace berth::local::pipeline {

/// Times in words, as GitLab reads them (the gem gitlab-chronic-duration): "1h
/// 30m", "3600 seconds", "1 week and 2 days", "2:30:00", "90" (seconds). Nothing
/// where it is no time, or none above zero. Months have 30 days, years 365.25.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace berth::local::pipeline
