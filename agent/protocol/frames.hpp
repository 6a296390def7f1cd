#pragma once

#include "agent/protocol/messages.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

/// Encoding and decoding of messages.hpp. Pure; used by both ends and fuzzed.
namespace berth::protocol {

/// The bytes cannot be a frame of this direction. what() never quotes them.
class FrameError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string encode(const DriverMessage& message);
std::string encode(const AgentMessage& message);

/// Cuts a byte stream into messages, whatever the chunks it arrives in.
/// Holds at most one frame. After a FrameError it must not be fed again.
template <typename Message>
class Decoder {
 public:
  /// max_payload: frames that announce more are refused before any of it is held.
  explicit Decoder(std::size_t max_payload) : m_max_payload(max_payload) {}

  void feed(std::string_view bytes);
  /// The next whole message, or nothing until more bytes are fed.
  /// Throws FrameError.
  std::optional<Message> next();

 private:
  std::size_t m_max_payload;
  std::string m_buffer;
  std::size_t m_used = 0;
};

using DriverDecoder = Decoder<DriverMessage>;  // at the agent
using AgentDecoder = Decoder<AgentMessage>;    // at the driver

extern template class Decoder<DriverMessage>;
extern template class Decoder<AgentMessage>;

}  // namespace berth::protocol
