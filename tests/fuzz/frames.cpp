// Frames of the agent protocol as a hostile peer may send them. The first byte
// chooses the direction and the size of the chunks, the rest is the stream.

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

/// Small, so that inputs of a fuzzer's size meet the limit.
constexpr std::size_t k_limit = 4096;

template <typename Message>
struct Decoded {
  std::vector<Message> messages;
  bool refused = false;
  bool operator==(const Decoded&) const = default;
};

template <typename Message>
Decoded<Message> decode(std::string_view stream, std::size_t chunk) {
  Decoded<Message> decoded;
  Decoder<Message> decoder(k_limit);
  try {
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      decoder.feed(stream.substr(at, chunk));
      while (auto message = decoder.next()) decoded.messages.push_back(std::move(*message));
    }
  } catch (const FrameError&) {
    decoded.refused = true;
  }
  return decoded;
}

template <typename Message>
void check(std::string_view stream, std::size_t chunk) {
  const Decoded<Message> whole = decode<Message>(stream, std::max<std::size_t>(stream.size(), 1));
  // How the bytes arrive makes no difference.
  if (decode<Message>(stream, chunk) != whole) std::abort();
  // Each message has one spelling, so nothing hides in a frame that is accepted.
  std::string again;
  for (const Message& message : whole.messages) again += encode(message);
  if (stream.substr(0, again.size()) != again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t chunk = 1 + (data[0] >> 1);
  if ((data[0] & 1) != 0) {
    check<AgentMessage>(stream, chunk);
  } else {
    check<DriverMessage>(stream, chunk);
  }
  return 0;
}
