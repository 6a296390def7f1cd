#include "tests/support/http_server/http_server.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <sys/socket.h>
#include <thread>

namespace berth::tests {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Socket = asio::generic::stream_protocol::socket;
using TlsSocket = asio::ssl::stream<Socket&>;

bool matches(const std::string& pattern, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (pattern.ends_with('*'))
    return path.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  return path == pattern;
}

template <typename Stream>
class Peer final : public ServerPeer {
 public:
  Peer(Stream& stream, std::string early) : m_stream(stream), m_early(std::move(early)) {}

  std::string read() override {
    if (!m_early.empty()) return std::exchange(m_early, {});
    std::string bytes(65536, '\0');
    boost::system::error_code error;
    bytes.resize(m_stream.read_some(asio::buffer(bytes), error));
    return bytes;
  }
  void write(std::string_view bytes) override {
    boost::system::error_code ignored;
    asio::write(m_stream, asio::buffer(bytes.data(), bytes.size()), ignored);
  }

 private:
  Stream& m_stream;
  std::string m_early;
};

std::string head_of(const ServerReply& reply) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  return head;
}

}  // namespace

std::string ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (beast::iequals(key, beast::string_view(name.data(), name.size()))) return value;
  }
  return {};
}

class HttpServer::Impl {
 public:
  explicit Impl(Options options)
      : m_options(std::move(options)), m_tls(asio::ssl::context::tls_server), m_acceptor(m_io) {
    if (m_options.tls) set_up_tls();
    if (m_options.unix_socket.empty()) {
      listen(asio::ip::tcp::endpoint(asio::ip::make_address(m_options.address), 0));
    } else {
      listen(asio::local::stream_protocol::endpoint(m_options.unix_socket.string()));
    }
    m_accepting = std::jthread([this] { accept(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(m_mutex);
      m_stopping = true;
      m_changed.notify_all();
      for (const int fd : m_open) ::shutdown(fd, SHUT_RDWR);
    }
    ::shutdown(m_acceptor.native_handle(), SHUT_RDWR);
    m_accepting.join();
    m_serving.clear();
  }

  void on(const std::string& method, const std::string& path, Handler handler) {
    const std::lock_guard lock(m_mutex);
    m_table.insert(m_table.begin(), {method, path, std::move(handler)});
  }

  template <typename Function>
  auto locked(Function function) const {
    const std::lock_guard lock(m_mutex);
    return function(*this);
  }

  bool wait_for(const std::string& method, const std::string& path, std::size_t n) const {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::seconds(10),
                              [&] { return count(method, path) >= n; });
  }

  std::size_t count(const std::string& method, const std::string& path) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(m_requests, [&](const ServerRequest& request) {
          return request.method == method && matches(path, request.target);
        }));
  }

  struct Entry {
    std::string method;
    std::string path;
    Handler handler;
  };

  Options m_options;
  std::vector<ServerRequest> m_requests;
  unsigned m_connections = 0;
  std::string m_port;

 private:
  void set_up_tls() {
    const Tls& tls = *m_options.tls;
    m_tls.use_certificate_chain(asio::buffer(tls.certificate.certificate_pem));
    m_tls.use_private_key(asio::buffer(tls.certificate.key_pem), asio::ssl::context::pem);
    if (!tls.client_ca_pem.empty()) {
      m_tls.add_certificate_authority(asio::buffer(tls.client_ca_pem));
      m_tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
  }

  template <typename Endpoint>
  void listen(const Endpoint& endpoint) {
    const asio::generic::stream_protocol::endpoint any(endpoint);
    m_acceptor.open(any.protocol());
    m_acceptor.bind(any);
    m_acceptor.listen();
    if constexpr (std::is_same_v<Endpoint, asio::ip::tcp::endpoint>) {
      sockaddr_in address{};
      socklen_t length = sizeof address;
      ::getsockname(m_acceptor.native_handle(), reinterpret_cast<sockaddr*>(&address), &length);
      m_port = std::to_string(ntohs(address.sin_port));
    }
  }

  void accept() {
    while (true) {
      auto socket = std::make_shared<Socket>(m_io);
      boost::system::error_code error;
      m_acceptor.accept(*socket, error);
      const std::lock_guard lock(m_mutex);
      if (m_stopping || error) return;
      const unsigned number = m_connections++;
      m_open.push_back(socket->native_handle());
      m_serving.emplace_back([this, socket, number] {
        serve_connection(*socket, number);
        const std::lock_guard inner(m_mutex);
        std::erase(m_open, socket->native_handle());
        boost::system::error_code ignored;
        socket->close(ignored);
      });
    }
  }

  void serve_connection(Socket& socket, unsigned number) {
    boost::system::error_code error;
    if (!m_options.tls) {
      serve(socket, socket, number);
      return;
    }
    TlsSocket stream(socket, m_tls);
    stream.handshake(asio::ssl::stream_base::server, error);
    if (error) return;
    serve(stream, socket, number);
    stream.shutdown(error);
  }

  template <typename Stream>
  void serve(Stream& stream, Socket& socket, unsigned number) {
    beast::flat_buffer buffer;
    while (true) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(std::uint64_t{1} << 30);
      boost::system::error_code error;
      boost::system::error_code ignored;
      http::read_header(stream, buffer, parser, error);
      if (error && error.category() == http::make_error_code(http::error::bad_version).category() &&
          error != http::error::end_of_stream)
        asio::write(stream, asio::buffer(std::string("HTTP/1.1 400 Bad Request\r\n\r\n")), ignored);
      if (error) return;
      if (beast::iequals(parser.get()[http::field::expect], "100-continue"))
        asio::write(stream, asio::buffer(std::string("HTTP/1.1 100 Continue\r\n\r\n")), error);
      if (!parser.is_done()) http::read(stream, buffer, parser, error);
      if (error) return;
      const ServerReply reply = answer(parser.get(), number);
      std::string early;
      if (reply.upgrade)
        early.assign(static_cast<const char*>(buffer.data().data()), buffer.data().size());
      if (!send(stream, socket, reply, parser.get().method() == http::verb::head, early)) return;
    }
  }

  ServerReply answer(const http::request<http::string_body>& message, unsigned number) {
    ServerRequest request{.method = std::string(message.method_string()),
                          .target = std::string(message.target()),
                          .headers = {},
                          .body = message.body(),
                          .connection = number};
    for (const auto& field : message)
      request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    Handler handler;
    {
      const std::lock_guard lock(m_mutex);
      m_requests.push_back(request);
      m_changed.notify_all();
      const auto entry = std::ranges::find_if(m_table, [&](const Entry& candidate) {
        return candidate.method == request.method && matches(candidate.path, request.target);
      });
      if (entry != m_table.end()) handler = entry->handler;
    }
    if (handler) return handler(request);
    return {.status = 404, .body = R"({"message":"page not found"})"};
  }

  /// False: the connection is done.
  template <typename Stream>
  bool send(Stream& stream, Socket& socket, const ServerReply& reply, bool head_only,
            const std::string& early) {
    boost::system::error_code error;
    const auto write = [&](std::string_view bytes) {
      asio::write(stream, asio::buffer(bytes.data(), bytes.size()), error);
    };
    if (reply.fault == ServerFault::hang) {
      std::unique_lock lock(m_mutex);
      m_changed.wait(lock, [this] { return m_stopping; });
      return false;
    }
    if (reply.fault == ServerFault::drop) return false;
    if (reply.fault == ServerFault::garbage) {
      write("\x15\x03\x01 this is no HTTP\r\n\r\n");
      return false;
    }
    if (reply.upgrade) {
      write(head_of(reply) + "\r\n");
      Peer<Stream> peer(stream, early);
      reply.upgrade(peer);
      return false;
    }
    if (reply.chunk > 0) {
      write(head_of(reply) + "Transfer-Encoding: chunked\r\n\r\n");
      for (std::size_t at = 0; at < reply.body.size() && !error; at += reply.chunk)
        asio::write(stream,
                    http::make_chunk(
                        asio::buffer(std::string_view(reply.body).substr(at, reply.chunk).data(),
                                     std::min(reply.chunk, reply.body.size() - at))),
                    error);
      if (reply.fault != ServerFault::none) return false;
      asio::write(stream, http::make_chunk_last(), error);
      return !error;
    }
    std::string_view body = reply.body;
    const bool cut = reply.fault == ServerFault::reset || reply.fault == ServerFault::truncate;
    if (cut) body = body.substr(0, body.size() / 2);
    std::string bytes = head_of(reply);
    if (reply.status != 204 && reply.status != 304)
      bytes += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    bytes += "\r\n";
    if (!head_only) bytes += body;
    write(bytes);
    if (reply.fault == ServerFault::reset) {
      const linger now{1, 0};
      ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
      const std::lock_guard lock(m_mutex);
      std::erase(m_open, socket.native_handle());
      socket.close(error);
      return false;
    }
    return !cut && !error;
  }

  mutable std::mutex m_mutex;
  mutable std::condition_variable m_changed;
  bool m_stopping = false;
  std::vector<Entry> m_table;
  std::vector<int> m_open;

  asio::io_context m_io;
  asio::ssl::context m_tls;
  asio::basic_socket_acceptor<asio::generic::stream_protocol> m_acceptor;
  std::jthread m_accepting;
  std::vector<std::jthread> m_serving;
};

HttpServer::HttpServer(Options options) : m_impl(std::make_unique<Impl>(std::move(options))) {}
HttpServer::~HttpServer() = default;

void HttpServer::on(const std::string& method, const std::string& path,
                    std::vector<ServerReply> replies) {
  auto next = std::make_shared<std::size_t>(0);
  auto mutex = std::make_shared<std::mutex>();
  on(method, path, [replies = std::move(replies), next, mutex](const ServerRequest&) {
    const std::lock_guard lock(*mutex);
    const std::size_t index = std::min(*next, replies.size() - 1);
    ++*next;
    return replies[index];
  });
}

void HttpServer::on(const std::string& method, const std::string& path, Handler handler) {
  m_impl->on(method, path, std::move(handler));
}

std::vector<ServerRequest> HttpServer::requests() const {
  return m_impl->locked([](const Impl& impl) { return impl.m_requests; });
}

std::size_t HttpServer::count(const std::string& method, const std::string& path) const {
  return m_impl->locked([&](const Impl& impl) { return impl.count(method, path); });
}

unsigned HttpServer::connections() const {
  return m_impl->locked([](const Impl& impl) { return impl.m_connections; });
}

bool HttpServer::wait_for(const std::string& method, const std::string& path, std::size_t n) const {
  return m_impl->wait_for(method, path, n);
}

std::string HttpServer::url() const {
  if (!m_impl->m_options.unix_socket.empty()) return "http://localhost";
  return (m_impl->m_options.tls ? "https://" : "http://") + m_impl->m_options.address + ":" +
         m_impl->m_port;
}

std::string HttpServer::host() const {
  if (!m_impl->m_options.unix_socket.empty())
    return "unix://" + m_impl->m_options.unix_socket.string();
  return "tcp://" + m_impl->m_options.address + ":" + m_impl->m_port;
}

}  // namespace berth::tests
