// A stream with secrets: what is shown does not depend on how it was cut, and no
// secret is in it.

#include "executor/masking/forms.hpp"
#include "executor/masking/masker.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth::masking;

namespace {

std::string shown(const Masks& masks, std::string_view text, std::size_t piece) {
  std::string out;
  Masker masker(masks, [&](std::string_view bytes) { out += bytes; });
  for (std::size_t at = 0; at < text.size(); at += piece) masker.feed(text.substr(at, piece));
  masker.flush();
  return out;
}

}  // namespace

/// Input: a secret, a line end, another one, a line end, the stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Masks masks;
  std::string secret;
  for (int i = 0; i < 2; ++i) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    secret = rest.substr(0, end);
    masks.add(secret);
    masks.add_requested(secret.find('\r') == std::string::npos ? secret : "");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const std::string whole = shown(masks, rest, rest.size() + 1);
  for (const std::size_t piece : {1U, 3U, 16U})
    if (shown(masks, rest, piece) != whole) std::abort();
  // "[MASKED]" itself may be somebody's secret.
  const bool plain = std::string_view("[MASKED]").find_first_of(secret) == std::string_view::npos;
  if (plain && is_maskable(secret) && secret.size() <= 64 &&
      secret.find_first_of("\r") == std::string::npos && whole.find(secret) != std::string::npos)
    std::abort();
  return 0;
}
