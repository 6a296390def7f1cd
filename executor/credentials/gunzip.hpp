#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::credentials {

constexpr std::string_view k_gzip_magic{"\x1f\x8b\x08", 3};

struct Unpacked {
  enum class End {
    whole,
    cut,      ///< the stream ends too early
    damaged,  ///< broken codes, a wrong checksum, bytes after the end
    too_big,  ///< it would be larger than the limit
  };
  End end = End::whole;
  /// What was unpacked before the end.
  std::string bytes{};
};

/// Unpacks one gzip stream (RFC 1952), at most `limit` bytes of it.
Unpacked gunzip(std::string_view packed, std::size_t limit);

}  // namespace berth::credentials
