#include "agent/protocol/tunnel.hpp"

#include "agent/protocol/frames.hpp"

namespace berth::protocol {
namespace {

constexpr std::size_t k_head = 9;

void put_number(std::string& out, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((number >> shift) & 0xff);
}

std::uint32_t number_at(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace

std::string encode(const TunnelFrame& frame) {
  std::string out;
  out.reserve(k_head + frame.bytes.size());
  put_number(out, static_cast<std::uint32_t>(frame.bytes.size()));
  out += static_cast<char>(frame.kind);
  put_number(out, frame.connection);
  return out += frame.bytes;
}

void TunnelDecoder::feed(std::string_view bytes) {
  if (m_used > 0) {
    m_buffer.erase(0, m_used);
    m_used = 0;
  }
  m_buffer += bytes;
}

std::optional<TunnelFrame> TunnelDecoder::next() {
  const std::string_view rest = std::string_view(m_buffer).substr(m_used);
  if (rest.size() < k_head) return std::nullopt;
  const std::size_t length = number_at(rest);
  const auto kind = static_cast<std::uint8_t>(rest[4]);
  if (length > k_max_tunnel_bytes) throw FrameError("a tunnel's frame is longer than allowed");
  if (kind > static_cast<std::uint8_t>(TunnelKind::close))
    throw FrameError("a tunnel's frame is of no known kind");
  if (rest.size() < k_head + length) return std::nullopt;
  m_used += k_head + length;
  return TunnelFrame{.kind = static_cast<TunnelKind>(kind),
                     .connection = number_at(rest.substr(5)),
                     .bytes = std::string(rest.substr(k_head, length))};
}

}  // namespace berth::protocol
