#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Names of objects that Berth makes. Pure.
namespace berth::core {

/// 64-bit FNV-1a, as 16 hexadecimal digits: the same for ever, since volumes are
/// found again by it. Not a defence: who chooses the text can make two collide,
/// so what must be apart for safety stands in a name in clear.
std::string stable_hash(std::string_view text);

/// Lower case letters, digits, `.`, `_` and `-` kept, anything else `_`; cut to
/// `limit`; never empty ("x").
std::string sanitize_name(std::string_view text, std::size_t limit);

/// A host name of one label (RFC 1123): lower case letters, digits and inner
/// dashes, at most 63; other characters dropped. May be empty.
std::string host_label(std::string_view text);

}  // namespace berth::core
