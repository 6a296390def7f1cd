#include "agent/protocol/frames.hpp"

#include "agent/protocol/wire.hpp"

#include <cstdint>
#include <utility>

namespace berth::protocol {
namespace {

constexpr std::size_t k_header = 5;

/// Types of a direction are its variant's alternatives, counted from here, so
/// that a frame that went the wrong way is refused.
template <typename Message>
constexpr std::uint8_t k_first_type = 0;
template <>
constexpr std::uint8_t k_first_type<DriverMessage> = 0x01;
template <>
constexpr std::uint8_t k_first_type<AgentMessage> = 0x81;

template <typename Message>
std::string encode_message(const Message& message) {
  std::string frame(k_header, '\0');
  wire::Writer writer(frame);
  std::visit([&](const auto& content) { writer.put(content); }, message);
  std::string header;
  wire::Writer head(header);
  head.put(static_cast<std::uint8_t>(k_first_type<Message> + message.index()));
  head.put(static_cast<std::uint32_t>(frame.size() - k_header));
  return frame.replace(0, k_header, header);
}

template <typename Message, std::size_t... Index>
Message decode_alternative(std::size_t index, std::string_view payload,
                           std::index_sequence<Index...>) {
  Message message;
  const auto read = [&]<std::size_t I>() {
    std::variant_alternative_t<I, Message> content{};
    wire::Reader reader(payload);
    reader.get(content);
    if (reader.failed()) throw FrameError("a frame's fields do not fit its length");
    if (!reader.at_end()) throw FrameError("a frame is longer than its fields");
    message = std::move(content);
  };
  static_cast<void>(((index == Index ? (read.template operator()<Index>(), true) : false) || ...));
  return message;
}

}  // namespace

std::string encode(const DriverMessage& message) {
  return encode_message(message);
}
std::string encode(const AgentMessage& message) {
  return encode_message(message);
}

template <typename Message>
void Decoder<Message>::feed(std::string_view bytes) {
  if (m_used > 0) {
    m_buffer.erase(0, m_used);
    m_used = 0;
  }
  m_buffer.append(bytes);
}

template <typename Message>
std::optional<Message> Decoder<Message>::next() {
  constexpr std::size_t k_types = std::variant_size_v<Message>;
  const std::string_view held = std::string_view(m_buffer).substr(m_used);
  if (held.empty()) return std::nullopt;
  const auto type = static_cast<std::uint8_t>(held[0]);
  if (type < k_first_type<Message> || type - k_first_type<Message> >= static_cast<int>(k_types)) {
    throw FrameError("a frame of an unknown type");
  }
  if (held.size() < k_header) return std::nullopt;
  std::uint32_t size = 0;
  wire::Reader(held.substr(1, 4)).get(size);
  if (size > m_max_payload) throw FrameError("a frame announces more bytes than are allowed");
  if (held.size() - k_header < size) return std::nullopt;
  m_used += k_header + size;
  return decode_alternative<Message>(type - k_first_type<Message>, held.substr(k_header, size),
                                     std::make_index_sequence<k_types>{});
}

template class Decoder<DriverMessage>;
template class Decoder<AgentMessage>;

}  // namespace berth::protocol
