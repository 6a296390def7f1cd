#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::support {

/// RFC 4648 §4, padded, one line.
std::string base64_encode(std::string_view bytes);

/// RFC 4648 §5 (`-` and `_`), padded: what X-Registry-Auth wants.
std::string base64url_encode(std::string_view bytes);

/// Accepts what people store in CI variables: either alphabet (not mixed),
/// wrapped lines, blanks around, padding left out. Nothing where it is
/// not base64: another character, an impossible length, data after the padding,
/// bits that a whole byte count cannot have set.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace berth::support
