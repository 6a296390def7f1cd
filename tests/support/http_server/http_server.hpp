#pragma once

#include "tests/support/http_server/certificates.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::tests {

struct ServerRequest {
  std::string method{};
  /// Path and query as they came.
  std::string target{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  /// Counts connections from 0, in the order they were accepted.
  unsigned connection = 0;

  /// "" where there is none; any case.
  std::string header(std::string_view name) const;
};

/// The raw connection after an upgrade.
class ServerPeer {
 public:
  virtual ~ServerPeer() = default;
  /// At least one byte; empty at the end of the stream.
  virtual std::string read() = 0;
  virtual void write(std::string_view bytes) = 0;
};

/// What goes wrong while a reply is sent.
enum class ServerFault {
  none,
  drop,      ///< the connection is closed without an answer
  reset,     ///< the connection is reset (RST on tcp) after half of the body
  truncate,  ///< the connection is closed in order after half of the body
  hang,      ///< no answer for as long as the server lives
  garbage,   ///< bytes that are not HTTP
};

struct ServerReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  ServerFault fault = ServerFault::none;
  /// Sent as chunks of this size, without Content-Length, where not 0.
  std::size_t chunk = 0;
  /// Takes the connection over after the header (status 101 or 200).
  std::function<void(ServerPeer&)> upgrade{};
};

/// An HTTP/1.1 server in this process: one thread a connection, answers from a
/// table, a record of what was asked. For tests of clients and their faults.
class HttpServer {
 public:
  struct Tls {
    Certificate certificate{};
    /// Clients must show a certificate of this authority where not empty.
    std::string client_ca_pem{};
  };
  struct Options {
    /// Listen on this path; empty: on a free port of `address`.
    std::filesystem::path unix_socket{};
    std::string address = "127.0.0.1";
    std::optional<Tls> tls{};
  };
  using Handler = std::function<ServerReply(const ServerRequest&)>;

  HttpServer() : HttpServer(Options{}) {}
  explicit HttpServer(Options options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Answers for method and path (without query; a trailing '*' matches any
  /// rest), in turn; the last one is given again and again. Of several entries
  /// that match, the latest counts. Unknown requests get 404.
  void on(const std::string& method, const std::string& path, std::vector<ServerReply> replies);
  void on(const std::string& method, const std::string& path, Handler handler);

  std::vector<ServerRequest> requests() const;
  /// How often method and path (as in on()) were asked for.
  std::size_t count(const std::string& method, const std::string& path) const;
  unsigned connections() const;
  /// Waits until count(method, path) >= n. False after ten seconds.
  bool wait_for(const std::string& method, const std::string& path, std::size_t n) const;

  /// "http://127.0.0.1:4711", "https://…"; "http://localhost" on a unix socket.
  std::string url() const;
  /// As DOCKER_HOST: "unix:///…", "tcp://127.0.0.1:4711".
  std::string host() const;

  class Impl;

 private:
  std::unique_ptr<Impl> m_impl;
};

}  // namespace berth::tests
