#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::core {

/// An entry of `volumes`, as [runners.docker] writes it: `/path` asks for a
/// volume that Berth keeps, `source:/path[:mode]` mounts a host directory or a
/// named volume. mode: ro, rw, z, Z, a propagation, or several by commas.
struct VolumeEntry {
  /// Empty for a kept volume.
  std::string source;
  std::string destination;
  std::string mode;
  bool operator==(const VolumeEntry&) const = default;
};

/// Nothing where it is not such an entry: no absolute destination, `/` itself,
/// a `..` component, an unknown mode.
std::optional<VolumeEntry> parse_volume(std::string_view text);

/// Without doubled and trailing slashes, so that two spellings of a directory
/// are one.
std::string clean_path(std::string_view path);

}  // namespace berth::core
