#include "tests/support/http_server/websocket_peer.hpp"

#include <openssl/evp.h>

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace berth::tests {
namespace {

/// RFC 6455, 4.2.2.
std::string accept_of(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, 20> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  std::array<unsigned char, 32> encoded{};
  const int length =
      EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

}  // namespace

std::string to_bytes(const WebSocketFrame& frame) {
  std::string bytes(1, static_cast<char>((frame.last ? 0x80 : 0) | frame.opcode));
  const std::size_t size = frame.payload.size();
  if (size < 126) {
    bytes += static_cast<char>(size);
  } else if (size < 65536) {
    bytes += static_cast<char>(126);
    for (const unsigned shift : {8U, 0U}) bytes += static_cast<char>(size >> shift);
  } else {
    bytes += static_cast<char>(127);
    for (unsigned shift = 64; shift > 0; shift -= 8)
      bytes += static_cast<char>(size >> (shift - 8));
  }
  return bytes + frame.payload;
}

bool WebSocketPeer::want(std::size_t bytes) {
  while (m_in.size() < bytes) {
    const std::string more = m_peer.read();
    if (more.empty()) return false;
    m_in += more;
  }
  return true;
}

std::optional<WebSocketFrame> WebSocketPeer::read() {
  if (!want(2)) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(m_in[at]); };
  WebSocketFrame frame{static_cast<std::uint8_t>(byte(0) & 15), (byte(0) & 0x80) != 0, {}};
  std::size_t size = byte(1) & 0x7f;
  std::size_t head = 2;
  if (const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0; more > 0) {
    if (!want(head + more)) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(head + i);
    head += more;
  }
  // A client's frames are masked.
  if ((byte(1) & 0x80) == 0 || !want(head + 4 + size)) return std::nullopt;
  frame.payload = m_in.substr(head + 4, size);
  for (std::size_t i = 0; i < size; ++i)
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ m_in[head + i % 4]);
  m_in.erase(0, head + 4 + size);
  return frame;
}

void WebSocketPeer::close(unsigned code, const std::string& reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  write(to_bytes({k_ws_close, true, payload + reason}));
}

ServerReply websocket_reply(const ServerRequest& request, const std::string& protocol,
                            std::function<void(WebSocketPeer&)> talk) {
  ServerReply reply{
      .status = 101,
      .headers = {{"Upgrade", "websocket"},
                  {"Connection", "Upgrade"},
                  {"Sec-WebSocket-Accept", accept_of(request.header("Sec-WebSocket-Key"))}}};
  if (!protocol.empty()) reply.headers.emplace_back("Sec-WebSocket-Protocol", protocol);
  reply.upgrade = [talk = std::move(talk)](ServerPeer& raw) {
    WebSocketPeer peer(raw);
    talk(peer);
  };
  return reply;
}

ServerReply tunnel_reply(const ServerRequest& request) {
  const int port = std::stoi(request.target.substr(request.target.rfind(':') + 1));
  return {.status = 200, .upgrade = [port](ServerPeer& peer) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(static_cast<std::uint16_t>(port));
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
              const std::jthread back([&] {
                std::array<char, 16384> buffer;
                for (ssize_t got = 1; got > 0;) {
                  got = ::read(fd, buffer.data(), buffer.size());
                  if (got > 0) peer.write({buffer.data(), static_cast<std::size_t>(got)});
                }
              });
              for (std::string bytes = peer.read(); !bytes.empty(); bytes = peer.read()) {
                std::string_view left = bytes;
                while (!left.empty()) {
                  const ssize_t put = ::send(fd, left.data(), left.size(), MSG_NOSIGNAL);
                  if (put <= 0) break;
                  left.remove_prefix(static_cast<std::size_t>(put));
                }
              }
              ::shutdown(fd, SHUT_RDWR);
            }
            ::close(fd);
          }};
}

}  // namespace berth::tests
