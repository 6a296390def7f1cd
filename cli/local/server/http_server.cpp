#include "cli/local/server/http_server.hpp"

#include "executor/support/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <fcntl.h>
#include <limits>
#include <list>
#include <mutex>
#include <sys/socket.h>
#include <thread>

namespace berth::local::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Request head_of(const http::request_header<>& header) {
  Request request;
  request.method = std::string(header.method_string());
  const std::string_view target(header.target().data(), header.target().size());
  const auto question = target.find('?');
  request.path = percent_decoded(target.substr(0, question), false);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  for (const auto& field : header) {
    request.headers[lower({field.name_string().data(), field.name_string().size()})] =
        std::string(field.value());
  }
  return request;
}

class BeastExchange final : public Exchange {
 public:
  BeastExchange(tcp::socket& socket, beast::flat_buffer& buffer,
                http::request_parser<http::buffer_body>& parser)
      : m_socket(socket), m_buffer(buffer), m_parser(parser) {}

  std::size_t read(std::span<char> buffer) override {
    if (m_parser.get()[http::field::expect] == "100-continue" &&
        !std::exchange(m_continued, true)) {
      http::response<http::empty_body> go_on{http::status::continue_, 11};
      http::write(m_socket, go_on);
    }
    while (!m_parser.is_done()) {
      auto& body = m_parser.get().body();
      body.data = buffer.data();
      body.size = buffer.size();
      beast::error_code error;
      http::read(m_socket, m_buffer, m_parser, error);
      if (error && error != http::error::need_buffer) throw beast::system_error(error);
      if (const std::size_t got = buffer.size() - body.size; got > 0) return got;
    }
    return 0;
  }

  void reply(unsigned status, const Headers& headers, std::string_view body) override {
    auto response = head<http::string_body>(status, headers);
    response.body() = body;
    response.prepare_payload();
    if (m_parser.get().method() == http::verb::head) response.body().clear();
    http::write(m_socket, response);
  }

  void begin(unsigned status, const Headers& headers) override {
    auto response = head<http::empty_body>(status, headers);
    response.chunked(true);
    http::response_serializer<http::empty_body> serializer(response);
    http::write_header(m_socket, serializer);
  }

  void write(std::string_view bytes) override {
    if (!bytes.empty())
      asio::write(m_socket, http::make_chunk(asio::buffer(bytes.data(), bytes.size())));
  }

  void end() override { asio::write(m_socket, http::make_chunk_last()); }

  /// Reads what nobody wanted: a connection that is closed over unread bytes is
  /// reset, and the other end may never see the answer.
  void drain() {
    const bool waits = m_parser.get()[http::field::expect] == "100-continue" && !m_continued;
    std::array<char, 65536> buffer{};
    while (!waits && read(buffer) > 0) {
    }
  }

  bool answered() const noexcept { return m_answered; }
  /// A request whose body was not read to its end leaves bytes in the way.
  bool keep_alive() const { return m_keep_alive && m_parser.is_done(); }

 private:
  template <typename Body>
  http::response<Body> head(unsigned status, const Headers& headers) {
    m_answered = true;
    http::response<Body> response{http::int_to_status(status), 11};
    for (const auto& [name, value] : headers) response.set(name, value);
    m_keep_alive = m_parser.get().keep_alive();
    response.keep_alive(keep_alive());
    return response;
  }

  tcp::socket& m_socket;
  beast::flat_buffer& m_buffer;
  http::request_parser<http::buffer_body>& m_parser;
  bool m_continued = false;
  bool m_answered = false;
  bool m_keep_alive = true;
};

/// One request and its answer; false when the connection is over.
bool serve_one(tcp::socket& socket, beast::flat_buffer& buffer, const Handler& handler) {
  http::request_parser<http::buffer_body> parser;
  // Not boost::none: Boost 1.74 takes every Content-Length for larger than that.
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  beast::error_code error;
  http::read_header(socket, buffer, parser, error);
  if (error) return false;
  BeastExchange exchange(socket, buffer, parser);
  try {
    handler(head_of(parser.get()), exchange);
  } catch (const std::exception& failure) {
    if (exchange.answered()) return false;
    exchange.reply(500, {{"Content-Type", "text/plain"}}, fmt::format("{}\n", failure.what()));
  }
  const bool keep_alive = exchange.answered() && exchange.keep_alive();
  if (exchange.answered()) exchange.drain();
  return keep_alive;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Handler handler, std::uint16_t port) : m_handler(std::move(handler)), m_acceptor(m_context) {
    try {
      // One socket for both families: containers may have either.
      const tcp::endpoint any(tcp::v6(), port);
      beast::error_code no_v6;
      m_acceptor.open(any.protocol(), no_v6);
      if (!no_v6) {
        m_acceptor.set_option(asio::ip::v6_only(false));
        m_acceptor.bind(any);
      } else {
        m_acceptor.open(tcp::v4());
        m_acceptor.bind({tcp::v4(), port});
      }
      m_acceptor.listen();
      m_port = m_acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      throw support::SystemError(
          fmt::format("cannot listen on port {}: {}", port, error.code().message()));
    }
    m_accepting = std::thread([this] { accept(); });
  }

  ~Impl() {
    m_stopping = true;
    // close() does not wake a blocked accept; shutdown does.
    ::shutdown(m_acceptor.native_handle(), SHUT_RDWR);
    m_accepting.join();
    std::list<Connection> connections;
    {
      const std::lock_guard lock(m_mutex);
      connections.splice(connections.end(), m_connections);
      for (Connection& connection : connections)
        ::shutdown(connection.socket->native_handle(), SHUT_RDWR);
    }
    for (Connection& connection : connections) connection.thread.join();
  }

  std::uint16_t port() const noexcept { return m_port; }

 private:
  struct Connection {
    std::shared_ptr<tcp::socket> socket;
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> done;
  };

  void accept() {
    while (!m_stopping) {
      auto socket = std::make_shared<tcp::socket>(m_context);
      beast::error_code error;
      m_acceptor.accept(*socket, error);
      if (m_stopping) return;
      if (error) continue;
      // A descriptor that a child would inherit keeps the connection open.
      ::fcntl(socket->native_handle(), F_SETFD, FD_CLOEXEC);
      socket->set_option(tcp::no_delay(true), error);
      auto done = std::make_shared<std::atomic<bool>>(false);
      const std::lock_guard lock(m_mutex);
      reap();
      m_connections.push_back({socket, std::thread([this, socket, done] {
                                 serve(*socket);
                                 *done = true;
                               }),
                               done});
    }
  }

  void serve(tcp::socket& socket) {
    beast::flat_buffer buffer;
    try {
      while (!m_stopping && serve_one(socket, buffer, m_handler)) {
      }
    } catch (const std::exception&) {
      // The other end is gone in the middle of an answer: nobody to tell.
    }
    ::shutdown(socket.native_handle(), SHUT_RDWR);
  }

  void reap() {
    for (auto connection = m_connections.begin(); connection != m_connections.end();) {
      if (*connection->done) {
        connection->thread.join();
        connection = m_connections.erase(connection);
      } else {
        ++connection;
      }
    }
  }

  Handler m_handler;
  asio::io_context m_context;
  tcp::acceptor m_acceptor;
  std::uint16_t m_port = 0;
  std::atomic<bool> m_stopping = false;
  std::thread m_accepting;
  std::mutex m_mutex;
  std::list<Connection> m_connections;
};

HttpServer::HttpServer(Handler handler, std::uint16_t port)
    : m_impl(std::make_unique<Impl>(std::move(handler), port)) {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const noexcept {
  return m_impl->port();
}

}  // namespace berth::local::server
