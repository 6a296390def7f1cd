#include "executor/net/websocket.hpp"

#include "executor/net/curl_handle.hpp"
#include "executor/net/curl_stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <cstring>
#include <optional>
#include <poll.h>
#include <utility>

namespace berth::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

/// A raw read or write that waits for its turn, with what is to happen then.
class Pending {
 public:
  virtual ~Pending() = default;
  /// Hands the outcome to the one who waits, from the context, not from here.
  virtual void complete(asio::io_context& context, error_code error, std::size_t bytes) = 0;
};

template <typename Handler>
class PendingHandler final : public Pending {
 public:
  explicit PendingHandler(Handler handler) : m_handler(std::move(handler)) {}
  void complete(asio::io_context& context, error_code error, std::size_t bytes) override {
    asio::post(context, beast::bind_front_handler(std::move(m_handler), error, bytes));
  }

 private:
  Handler m_handler;
};

/// The bytes under the WebSocket. Nothing waits inside the context: who polls the
/// descriptor calls pump(), and that tries what is pending.
class Channel {
 public:
  explicit Channel(std::unique_ptr<RawStream> raw) : m_raw(std::move(raw)) {}

  asio::io_context& context() { return m_context; }
  RawStream& raw() { return *m_raw; }
  bool writing() const { return m_write != nullptr; }
  bool write_closed() const { return m_write_closed; }
  std::chrono::steady_clock::time_point last_heard() const { return m_last_heard; }
  /// Words on how the connection ended, where it did.
  const std::string& why() const { return m_why; }

  void start_read(asio::mutable_buffer buffer, std::unique_ptr<Pending> pending) {
    m_into = {static_cast<char*>(buffer.data()), buffer.size()};
    m_read = std::move(pending);
  }
  void start_write(std::string bytes, std::unique_ptr<Pending> pending) {
    m_out = std::move(bytes);
    m_write = std::move(pending);
  }

  /// Moves what can be moved, and runs what that leads to.
  void pump() {
    do {
      if (m_write) try_write();
      if (m_read) try_read();
      m_context.restart();
    } while (m_context.poll() > 0);
  }

  void forget() {
    m_read.reset();
    m_write.reset();
  }

 private:
  void try_read() {
    const DuplexIo io =
        m_into.empty() ? DuplexIo{DuplexIo::State::moved, 0, {}} : m_raw->read(m_into);
    if (io.state == DuplexIo::State::would_block) return;
    if (io.state == DuplexIo::State::moved) {
      m_last_heard = std::chrono::steady_clock::now();
      finish(m_read, {}, io.bytes);
    } else {
      if (m_why.empty()) m_why = io.why;
      finish(
          m_read,
          io.why.empty() ? error_code(asio::error::eof) : error_code(asio::error::connection_reset),
          0);
    }
  }

  /// What the other end sent before it went may still be read, and Beast would
  /// not after a failed write: the read side decides when the connection is over.
  void try_write() {
    if (m_write_closed || m_out.empty()) {
      finish(m_write, {}, m_out.size());
      return;
    }
    const DuplexIo io = m_raw->write(m_out);
    if (io.state == DuplexIo::State::would_block) return;
    if (io.state == DuplexIo::State::closed) {
      m_write_closed = true;
      if (m_why.empty()) m_why = io.why;
    }
    finish(m_write, {}, m_write_closed ? m_out.size() : io.bytes);
  }

  void finish(std::unique_ptr<Pending>& slot, error_code error, std::size_t bytes) {
    const std::unique_ptr<Pending> pending = std::exchange(slot, nullptr);
    pending->complete(m_context, error, bytes);
  }

  asio::io_context m_context{1};
  std::unique_ptr<RawStream> m_raw;
  std::unique_ptr<Pending> m_read;
  std::unique_ptr<Pending> m_write;
  std::span<char> m_into;
  std::string m_out;
  bool m_write_closed = false;
  std::string m_why;
  std::chrono::steady_clock::time_point m_last_heard = std::chrono::steady_clock::now();
};

/// Channel as Beast wants to see it (AsyncStream).
class Layer {
 public:
  using executor_type = asio::io_context::executor_type;

  explicit Layer(Channel& channel) : m_channel(channel) {}
  executor_type get_executor() noexcept { return m_channel.context().get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto&& handler, const auto& into) {
          asio::mutable_buffer first;
          for (auto at = asio::buffer_sequence_begin(into); at != asio::buffer_sequence_end(into);
               ++at) {
            first = *at;
            if (first.size() > 0) break;
          }
          using Handler = std::decay_t<decltype(handler)>;
          m_channel.start_read(first, std::make_unique<PendingHandler<Handler>>(
                                          std::forward<decltype(handler)>(handler)));
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto&& handler, const auto& from) {
          std::string bytes;
          for (auto at = asio::buffer_sequence_begin(from); at != asio::buffer_sequence_end(from);
               ++at) {
            const asio::const_buffer piece = *at;
            bytes.append(static_cast<const char*>(piece.data()), piece.size());
          }
          using Handler = std::decay_t<decltype(handler)>;
          m_channel.start_write(std::move(bytes), std::make_unique<PendingHandler<Handler>>(
                                                      std::forward<decltype(handler)>(handler)));
        },
        token, buffers);
  }

 private:
  Channel& m_channel;
};

// What Beast looks for by the argument's type. The connection is closed by its
// owner's destructor, and no timer of Beast's is used.
void beast_close_socket(Layer&) {}
template <typename Handler>
void async_teardown(beast::role_type, Layer& layer, Handler&& handler) {
  asio::post(layer.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), error_code()));
}

class BeastSocket final : public WebSocket {
 public:
  BeastSocket(const HttpOptions& options, RawStream::Deadline deadline, const std::stop_token& stop)
      : m_options(options), m_channel(connect_raw(m_options, deadline, stop)), m_stream(m_channel) {
    m_stream.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                        websocket::stream_base::none(), false});
    m_stream.binary(true);
    m_stream.auto_fragment(false);
    m_stream.read_message_max(0);  // pieces are handed on as they come
  }

  ~BeastSocket() override {
    if (!m_over && m_stream.is_open() && !m_sending && !m_pinging) {
      m_stream.async_close(websocket::close_code::normal, [](error_code) {});
      m_channel.pump();
    }
    m_channel.forget();
  }

  HttpResponse open(const WebSocketRequest& request, RawStream::Deadline deadline,
                    const std::stop_token& stop);

  int fd() const override { return m_channel_fd; }

  short poll_events(bool wants_write) const override {
    return static_cast<short>(wants_write || m_channel.writing() ? POLLIN | POLLOUT : POLLIN);
  }

  bool buffered() const override { return m_given < m_have || m_maybe_more; }

  WebSocketIo read(std::span<char> into) override {
    if (m_given == m_have && !refill()) {
      m_maybe_more = false;
      if (m_over) return {WebSocketIo::State::closed, 0, false, *m_over};
      return {};
    }
    m_maybe_more = true;  // the next frame may have come with this one
    const std::size_t count = std::min(into.size(), m_have - m_given);
    if (count > 0) std::memcpy(into.data(), m_in.data() + m_given, count);
    m_given += count;
    const bool all = m_given == m_have;
    if (all) m_have = m_given = 0;
    const bool end = all && m_last_piece;
    m_fresh = !all;
    return {WebSocketIo::State::moved, count, end, {}};
  }

  WebSocketIo write(std::string_view message) override {
    m_channel.pump();
    if (m_channel.write_closed()) return {WebSocketIo::State::closed, 0, false, m_channel.why()};
    if (m_write_error) return {WebSocketIo::State::closed, 0, false, *m_write_error};
    if (m_over) return {WebSocketIo::State::closed, 0, false, *m_over};
    if (m_sending) return {};
    m_message.assign(message);
    m_sending = true;
    m_stream.async_write(asio::buffer(m_message), [this](error_code error, std::size_t) {
      m_sending = false;
      if (error) m_write_error = words(error);
    });
    m_channel.pump();
    return {WebSocketIo::State::moved, message.size(), false, {}};
  }

  void ping() override {
    if (m_pinging || m_over || m_write_error) return;
    m_pinging = true;
    m_stream.async_ping({}, [this](error_code error) {
      m_pinging = false;
      if (error) m_write_error = words(error);
    });
    m_channel.pump();
  }

  std::chrono::steady_clock::time_point last_heard() const override {
    return m_channel.last_heard();
  }
  const std::string& protocol() const override { return m_protocol; }

 private:
  /// True when there is a piece to hand on.
  bool refill() {
    if (!m_over && !m_reading) {
      m_reading = true;
      m_stream.async_read_some(asio::buffer(m_in), [this](error_code error, std::size_t bytes) {
        m_reading = false;
        if (error) {
          m_over = error == websocket::error::closed ? close_words() : words(error);
          return;
        }
        m_have = bytes;
        m_last_piece = m_stream.is_message_done();
        m_fresh = true;
      });
    }
    m_channel.pump();
    return m_fresh;
  }

  std::string close_words() const {
    const websocket::close_reason& reason = m_stream.reason();
    if (reason.code == websocket::close_code::normal || reason.code == websocket::close_code::none)
      return {};
    return "closed with code " + std::to_string(reason.code) +
           (reason.reason.empty() ? ""
                                  : ": " + std::string(reason.reason.data(), reason.reason.size()));
  }

  std::string words(error_code error) const {
    if (!m_channel.why().empty()) return m_channel.why();
    if (error == asio::error::eof) return "the connection ended";
    return error.message();
  }

  const HttpOptions m_options;
  Channel m_channel;
  const int m_channel_fd = m_channel.raw().fd();
  websocket::stream<Layer, false> m_stream;
  std::string m_protocol;

  std::array<char, std::size_t{64} << 10> m_in;
  std::size_t m_have = 0;
  std::size_t m_given = 0;
  bool m_fresh = false;
  bool m_last_piece = false;
  bool m_maybe_more = true;
  bool m_reading = false;
  std::optional<std::string> m_over;

  std::string m_message;
  bool m_sending = false;
  bool m_pinging = false;
  std::optional<std::string> m_write_error;
};

HttpResponse to_response(const websocket::response_type& message) {
  constexpr std::size_t k_max_body = std::size_t{64} << 10;
  HttpResponse response{.status = static_cast<int>(message.result_int())};
  for (const auto& field : message)
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  response.body = message.body().substr(0, k_max_body);
  return response;
}

HttpResponse BeastSocket::open(const WebSocketRequest& request, RawStream::Deadline deadline,
                               const std::stop_token& stop) {
  m_stream.set_option(websocket::stream_base::decorator([&](websocket::request_type& message) {
    message.set(beast::http::field::user_agent, "berth/" BERTH_VERSION);
    for (const Header& header : request.headers) message.insert(header.name, header.value);
    for (const SecretHeader& header : request.secret_headers)
      message.insert(header.name, std::string(header.value.expose()));
    std::string offered;
    for (const std::string& protocol : request.protocols)
      offered += (offered.empty() ? "" : ", ") + protocol;
    if (!offered.empty()) message.set(beast::http::field::sec_websocket_protocol, offered);
  }));
  websocket::response_type answer;
  std::optional<error_code> done;
  m_stream.async_handshake(answer, host_and_port(m_options), request.target,
                           [&](error_code error) { done = error; });
  while (true) {
    m_channel.pump();
    if (done) break;
    m_channel.raw().wait(
        m_channel.writing() ? RawStream::Direction::both : RawStream::Direction::in, deadline,
        stop);
  }
  // The decorator holds references.
  m_stream.set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));
  HttpResponse response = to_response(answer);
  if (!*done) {
    m_protocol = response.header("Sec-WebSocket-Protocol");
    return response;
  }
  m_over = words(*done);
  if (*done == websocket::error::upgrade_declined && response.status != 101) return response;
  const bool cut = *done == asio::error::eof || *done == asio::error::connection_reset ||
                   *done == asio::error::broken_pipe ||
                   *done == beast::http::error::end_of_stream ||
                   *done == beast::http::error::partial_message;
  throw HttpError(cut ? HttpFailure::reset : HttpFailure::malformed, *m_over);
}

}  // namespace

WebSocketAnswer connect_websocket(const HttpOptions& options, const WebSocketRequest& request,
                                  std::chrono::steady_clock::time_point deadline,
                                  std::stop_token stop) {
  auto socket = std::make_unique<BeastSocket>(options, deadline, stop);
  WebSocketAnswer answer{.response = socket->open(request, deadline, stop)};
  if (answer.response.status == 101) answer.socket = std::move(socket);
  return answer;
}

}  // namespace berth::net
