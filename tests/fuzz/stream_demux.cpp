// The engine's framing of two streams, cut at the size the first byte says: all
// ways to cut give the same bytes and the same refusal.

#include "executor/docker/engine/stream_demux.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth::docker;

namespace {

struct Streams {
  std::array<std::string, 4> bytes;
  bool refused = false;
  bool at_boundary = false;
  bool operator==(const Streams&) const = default;
};

Streams demux(std::string_view stream, std::size_t chunk) {
  Streams streams;
  StreamDemux demux;
  try {
    for (std::size_t at = 0; at < stream.size(); at += chunk)
      demux.feed(stream.substr(at, chunk), [&](OutputStream which, std::string_view piece) {
        streams.bytes.at(static_cast<std::size_t>(which)).append(piece);
      });
    streams.at_boundary = demux.at_boundary();
  } catch (const DemuxError&) {
    streams.refused = true;
  }
  return streams;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Streams whole = demux(stream, stream.size() + 1);
  if (demux(stream, std::size_t{data[0]} + 1) != whole) std::abort();
  std::size_t total = 0;
  for (const std::string& bytes : whole.bytes) total += bytes.size();
  if (total > stream.size()) std::abort();
  return 0;
}
