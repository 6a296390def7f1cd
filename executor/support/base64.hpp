#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace berth::support {

/// RFC 4648 §4, padded, one line.
std::string base64_encode(std::string_view bytes);

/// RFC 4648 §5 (`-` and `_`), padded: what X-Registry-Auth wants.
std::string base64url_encode(std::string_view bytes);

/// How far a base64 text could be read, and what it is like. Blanks (CR, LF, FF, VT,
/// TAB, space) are passed over wherever they stand.
struct Base64Reading {
  enum class End {
    whole,
    /// A lone digit, or padding that does not fill its group: something is missing.
    cut,
    /// Bits after the last byte that no encoder sets.
    loose_bits,
    /// A character of neither alphabet.
    foreign,
    /// Digits after the padding.
    after_padding,
    /// Every digit reads, but some are of the one alphabet and some of the other.
    mixed,
  };

  /// What was read before the end.
  std::string bytes{};
  End end = End::whole;
  /// `-` or `_` stands in it.
  bool url_alphabet = false;
  /// The padding is left out.
  bool unpadded = false;
};

/// Reads as far as it goes; allocates no more than the text is long.
Base64Reading read_base64(std::string_view text);

/// Accepts what people store in CI variables: either alphabet (not mixed),
/// wrapped lines, blanks around, padding left out. Nothing where it is
/// not base64: another character, an impossible length, data after the padding,
/// bits that a whole byte count cannot have set.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace berth::support
