// Base64: what is encoded comes back; what is decoded is one canonical text.

#include "executor/support/base64.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth::support;

namespace {

/// The digits alone, in the standard alphabet.
std::string digits(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '-') {
      result += '+';
    } else if (c == '_') {
      result += '/';
    } else if (std::string_view(" \t\r\n=").find(c) == std::string_view::npos) {
      result += c;
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (base64_decode(base64_encode(input)) != input) std::abort();
  if (base64_decode(base64url_encode(input)) != input) std::abort();
  if (const auto bytes = base64_decode(input)) {
    if (digits(base64_encode(*bytes)) != digits(input)) std::abort();
  }
  return 0;
}
