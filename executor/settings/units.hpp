#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

/// Numbers with units, as they stand in settings. Pure; nothing where a text is
/// not one, or is out of range.
namespace berth::settings {

/// Bytes: `67108864`, `512m`, `1.5g`, `2GiB`. Units are powers of 1024, in any
/// case, as the Docker command takes them (go-units, RAMInBytes).
std::optional<std::int64_t> parse_size(std::string_view text);

/// Seconds: `300`, `-1`, or words with d, h, m and s: `5m`, `1h30m`.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// Billionths of a CPU: `2`, `0.5`, `1/2`. Greater than zero.
std::optional<std::int64_t> parse_cpus(std::string_view text);

}  // namespace berth::settings
