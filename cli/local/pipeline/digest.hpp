#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::local::pipeline {

/// Hexadecimal, lower case.
std::string sha1_hex(std::string_view text);
/// The 32 bytes.
std::vector<unsigned char> sha256(std::string_view text);

}  // namespace berth::local::pipeline
