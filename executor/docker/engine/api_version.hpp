#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

/// Versions of the Engine API (docs.docker.com, "API versioning"). Pure.
namespace berth::docker {

struct ApiVersion {
  int major = 1;
  int minor = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the zero inside the default.
  auto operator<=>(const ApiVersion&) const = default;
};

/// Docker 20.10's: the oldest this program was written for.
inline constexpr ApiVersion k_lowest_api{1, 41};
/// The newest whose changes were read; Docker 29 refuses clients below 1.44.
inline constexpr ApiVersion k_highest_api{1, 47};

/// "1.41"; nothing for anything else.
std::optional<ApiVersion> parse_api_version(std::string_view text);
std::string to_string(ApiVersion version);

}  // namespace berth::docker
