#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Connections to one agent, one after another, over one byte stream: the standard
/// streams of `berth-agent tunnel`. Where a connection is an engine exec, it is made
/// once for a job and not once for each of its ten scripts.
///
/// The driver numbers its connections. OPEN makes the next one and drops the one
/// before it; DATA carries the bytes of a Stream of frames.hpp both ways; CLOSE tells
/// the other end that a connection is over. What belongs to an earlier connection is
/// dropped by its number. The agent's end says READY first.
/// On the wire: length of the bytes (4, little endian), kind (1), number (4), bytes.
namespace berth::protocol {

enum class TunnelKind : std::uint8_t {
  ready = 0,  ///< agent to driver, once
  open = 1,   ///< driver to agent
  data = 2,
  close = 3,  ///< from the agent: the bytes are words that say why
};

struct TunnelFrame {
  TunnelKind kind = TunnelKind::ready;
  std::uint32_t connection = 0;
  std::string bytes{};
  bool operator==(const TunnelFrame&) const = default;
};

/// The most bytes of one frame.
inline constexpr std::size_t k_max_tunnel_bytes = 64u << 10;

std::string encode(const TunnelFrame& frame);

/// Cuts a byte stream into frames, whatever the chunks it arrives in. Holds what it
/// was fed and has not given out. After a FrameError it must not be fed again.
class TunnelDecoder {
 public:
  void feed(std::string_view bytes);
  /// The next whole frame, or nothing until more bytes are fed. Throws FrameError.
  std::optional<TunnelFrame> next();

 private:
  std::string m_buffer;
  std::size_t m_used = 0;
};

}  // namespace berth::protocol
