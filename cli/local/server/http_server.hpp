#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What `berth local` serves to the job containers: artifacts over the runner's
/// API, and the sources over git's.
namespace berth::local::server {

/// A request's head. Header names are lower case.
struct Request {
  std::string method;
  /// Path without the query, percent-decoded.
  std::string path;
  /// The query as it stood on the wire, without "?".
  std::string query;
  std::map<std::string, std::string> headers;

  std::string header(const std::string& name) const;
  /// Decoded value of a query parameter, or "".
  std::string parameter(std::string_view name) const;
};

/// One exchange: the request's body in pieces (chunked transfer undone, content
/// encoding left alone), then one answer. Used on the connection's thread.
/// Throws std::runtime_error when the connection breaks.
class Exchange {
 public:
  virtual ~Exchange() = default;
  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// Reads into `buffer`; 0 at the end of the body.
  virtual std::size_t read(std::span<char> buffer) = 0;

  /// A whole answer.
  virtual void reply(unsigned status, const Headers& headers, std::string_view body) = 0;
  /// An answer whose body follows in pieces.
  virtual void begin(unsigned status, const Headers& headers) = 0;
  virtual void write(std::string_view bytes) = 0;
  virtual void end() = 0;
};

using Handler = std::function<void(const Request&, Exchange&)>;

/// An HTTP/1.1 server on all addresses of this machine, a thread for each
/// connection. The handler is called from many threads at once; what it throws
/// becomes a 500, or ends the connection where an answer has begun.
class HttpServer {
 public:
  /// Throws support::SystemError when no port can be opened. Port 0: any.
  HttpServer(Handler handler, std::uint16_t port);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Cuts every connection and waits for the threads.
  ~HttpServer();

  std::uint16_t port() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

/// `%41` and, in a query, `+` undone.
std::string percent_decoded(std::string_view text, bool plus_is_blank);
/// Name and password of a Basic `Authorization` header.
std::optional<std::pair<std::string, std::string>> basic_credentials(std::string_view header);

}  // namespace berth::local::server
