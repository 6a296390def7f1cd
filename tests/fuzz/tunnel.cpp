// Frames of a tunnel as a hostile peer may send them. The first byte is the size of
// the chunks, the rest is the stream.

#include "agent/protocol/tunnel.hpp"

#include "agent/protocol/frames.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace berth::protocol;

namespace {

struct Decoded {
  std::vector<TunnelFrame> frames;
  bool refused = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view stream, std::size_t chunk) {
  Decoded decoded;
  TunnelDecoder decoder;
  try {
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      decoder.feed(stream.substr(at, chunk));
      while (auto frame = decoder.next()) decoded.frames.push_back(std::move(*frame));
    }
  } catch (const FrameError&) {
    decoded.refused = true;
  }
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  const Decoded whole = decode(stream, std::max<std::size_t>(stream.size(), 1));
  // How the bytes arrive makes no difference.
  if (decode(stream, 1 + std::size_t{data[0]}) != whole) std::abort();
  // Each frame has one spelling, so nothing hides in one that is accepted.
  std::string again;
  for (const TunnelFrame& frame : whole.frames) again += encode(frame);
  if (stream.substr(0, again.size()) != again) std::abort();
  return 0;
}
