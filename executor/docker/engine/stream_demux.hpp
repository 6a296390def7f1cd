#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

/// The engine's framing of two output streams in one connection (Engine API,
/// "Attach to a container", Stream format): 1 byte stream, 3 bytes zero, 4 bytes
/// length, big-endian, then the payload. Used for logs and exec. Pure, fuzzed.
namespace berth::docker {

enum class OutputStream : std::uint8_t { input = 0, output = 1, errors = 2, engine = 3 };

/// The bytes are not frames. what() does not quote them.
class DemuxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Holds at most one frame header: payload is passed on as it comes.
class StreamDemux {
 public:
  using Sink = std::function<void(OutputStream stream, std::string_view bytes)>;

  /// Throws DemuxError; after that it must not be fed again.
  void feed(std::string_view bytes, const Sink& sink);
  /// True at a frame's boundary: an end of the stream here lost nothing.
  bool at_boundary() const noexcept { return m_have == 0 && m_left == 0; }

 private:
  std::array<unsigned char, 8> m_header{};
  std::size_t m_have = 0;
  std::size_t m_left = 0;
};

}  // namespace berth::docker
