#pragma once

#include "tests/support/http_server/http_server.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace berth::tests {

/// RFC 6455, 11.8.
inline constexpr std::uint8_t k_ws_text = 1;
inline constexpr std::uint8_t k_ws_binary = 2;
inline constexpr std::uint8_t k_ws_close = 8;
inline constexpr std::uint8_t k_ws_ping = 9;
inline constexpr std::uint8_t k_ws_pong = 10;

struct WebSocketFrame {
  std::uint8_t opcode = k_ws_binary;
  bool last = true;
  std::string payload{};
};

/// A frame's bytes as a server sends it. Written by hand, so that a test can cut
/// and bend it at every byte.
std::string to_bytes(const WebSocketFrame& frame);

/// The server's end of a WebSocket.
class WebSocketPeer {
 public:
  explicit WebSocketPeer(ServerPeer& peer) : m_peer(peer) {}

  /// The next frame, unmasked; nothing at the end of the stream.
  std::optional<WebSocketFrame> read();
  void send(std::string_view payload) {
    write(to_bytes({k_ws_binary, true, std::string(payload)}));
  }
  void write(std::string_view bytes) { m_peer.write(bytes); }
  void close(unsigned code = 1000, const std::string& reason = {});

 private:
  bool want(std::size_t bytes);

  ServerPeer& m_peer;
  std::string m_in;
};

/// Agrees to a WebSocket; `protocol` "" names none.
ServerReply websocket_reply(const ServerRequest& request, const std::string& protocol,
                            std::function<void(WebSocketPeer&)> talk);

/// Answers CONNECT: a tunnel to 127.0.0.1:<port of the target>.
ServerReply tunnel_reply(const ServerRequest& request);

}  // namespace berth::tests
