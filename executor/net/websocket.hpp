#pragma once

#include "executor/net/http.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// WebSocket (RFC 6455), client side, binary messages.
namespace berth::net {

/// What one non-blocking read or write did.
struct WebSocketIo {
  enum class State {
    moved,        ///< `bytes` of a message (may be 0 for an empty one), or the message was taken
    would_block,  ///< nothing now: poll
    closed,       ///< the other end is gone; `why` says what is known, empty for a plain close
  };
  State state = State::would_block;
  std::size_t bytes = 0;
  /// Of a read: these bytes are the last of their message.
  bool end_of_message = false;
  std::string why{};
};

/// An open WebSocket. Used by one thread; nothing blocks. Pings of the other end
/// are answered whenever read() or write() is called; poll fd() for poll_events()
/// and call either when something is ready, or no byte moves. The destructor says
/// goodbye where that needs no waiting.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// Constant.
  virtual int fd() const = 0;
  virtual short poll_events(bool wants_write) const = 0;
  /// Something may be here that a poll of fd() does not tell of: read first.
  virtual bool buffered() const = 0;
  /// A piece of a message; never of two messages.
  virtual WebSocketIo read(std::span<char> into) = 0;
  /// Takes the message whole, or would_block while an earlier one is on its way.
  virtual WebSocketIo write(std::string_view message) = 0;
  /// Sends a ping unless one is still being sent.
  virtual void ping() = 0;
  /// When the other end was last heard of: data, pong, anything.
  virtual std::chrono::steady_clock::time_point last_heard() const = 0;
  /// The sub-protocol the server chose, or "".
  virtual const std::string& protocol() const = 0;

 protected:
  WebSocket() = default;
};

struct WebSocketRequest {
  /// As in HttpRequest.
  std::string target{};
  std::vector<Header> headers{};
  std::vector<SecretHeader> secret_headers{};
  /// Offered in this order.
  std::vector<std::string> protocols{};
};

/// The socket is there only when the server agreed (101); else the response is
/// whole (its body to 64 KiB).
struct WebSocketAnswer {
  HttpResponse response{};
  std::unique_ptr<WebSocket> socket{};
};

/// Opens a WebSocket on a new connection, with the TLS and the proxy of `options`.
/// Throws HttpError (malformed: it agreed, but to something else) and
/// support::Cancelled.
WebSocketAnswer connect_websocket(const HttpOptions& options, const WebSocketRequest& request,
                                  std::chrono::steady_clock::time_point deadline,
                                  std::stop_token stop);

}  // namespace berth::net
