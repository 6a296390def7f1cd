#pragma once

#include "executor/net/duplex.hpp"
#include "executor/support/error.hpp"
#include "executor/support/secret.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// HTTP/1.1 to one server. What a server's answers mean is the caller's business:
/// any status is a response here, never an exception.
namespace berth::net {

struct Header {
  std::string name{};
  std::string value{};
};

/// A header whose value must not be seen (X-Registry-Auth).
struct SecretHeader {
  std::string name{};
  support::Secret value{};
};

struct HttpRequest {
  std::string method = "GET";
  /// Path and query as they go over the wire: percent-encoded, begins with '/'.
  std::string target{};
  std::vector<Header> headers{};
  std::vector<SecretHeader> secret_headers{};
  /// Sent with Content-Length where not empty or the method is POST or PUT.
  std::string body{};
  /// Receives the body of a 2xx answer piece by piece as it arrives; false: enough
  /// was read, the call ends with what there is. Where empty (and for every other
  /// status), the body is collected in the response. Exceptions pass through.
  std::function<bool(std::string_view)> on_body{};
  /// The call fails when no byte moved in either direction for so long. 0: never.
  std::chrono::seconds silence_timeout{120};
  /// The call fails (HttpFailure::timeout) when it is not over by then.
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  /// A collected body larger than this is an error.
  std::size_t max_body = std::size_t{64} << 20;
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers{};
  std::string body{};

  /// The value of the first header of that name (any case), or "".
  std::string_view header(std::string_view name) const;
};

/// Why no (whole) response came.
enum class HttpFailure {
  cannot_resolve,  ///< host name unknown
  cannot_connect,  ///< nobody listens, no socket, no permission: system_error() says
  tls_untrusted,   ///< the server's certificate was not issued by our CA or is for another name
  tls_rejected,    ///< the server refused our client certificate, or wants one
  tls_not_spoken,  ///< the other end does not speak TLS on this port
  tls,             ///< other TLS trouble, an unusable certificate file among it
  timeout,         ///< connecting took too long, or silence
  reset,           ///< the connection ended early: the server may have done what was asked
  proxy,           ///< the proxy wants a login, or refuses to connect us to this server
  this_machine,    ///< HttpOptions::elsewhere, and the name means this machine
  malformed,       ///< what came is not HTTP, or too large
};

/// what() is one line of the library's words, without address and secrets.
/// Infrastructure's fault until somebody who knows more says otherwise.
class HttpError : public support::SystemError {
 public:
  HttpError(HttpFailure failure, const std::string& message, int system_error = 0)
      : support::SystemError(message), m_failure(failure), m_system_error(system_error) {}

  HttpFailure failure() const noexcept { return m_failure; }
  /// errno of a failed connect, or 0.
  int system_error() const noexcept { return m_system_error; }

 private:
  HttpFailure m_failure;
  int m_system_error;
};

/// The whole of PEM files, not their names.
struct TlsOptions {
  /// Only these issuers are trusted; empty: the system's.
  std::string ca_pem{};
  std::string certificate_pem{};
  support::Secret key_pem{};
  /// False: any certificate of the server will do.
  bool verify = true;
  /// The name the server's certificate must be for, where it is not the URL's host.
  std::string server_name{};
};

struct HttpOptions {
  /// "http://docker", "https://engine.example.com:2376": scheme, host and port
  /// only; what stands before HttpRequest::target.
  std::string base_url{};
  /// Connect to this unix socket whatever base_url's host says.
  std::string unix_socket{};
  TlsOptions tls{};
  std::chrono::milliseconds connect_timeout{30000};
  /// URL of a proxy (http, https, socks5), with its login; empty: none. Always
  /// asked for a tunnel (CONNECT).
  support::Secret proxy{};
  /// Connect to no address of this machine itself or of its link (address.hpp), whatever
  /// base_url's name resolves to: it was written by somebody who may not reach those. A
  /// proxy's address is not looked at: it resolves the name by itself.
  bool elsewhere = false;
};

/// An answer to HttpRequest with Upgrade: the stream is there only when the
/// server agreed (status 101, or 200 as Docker says it without the upgrade
/// headers); else the response is whole.
struct Upgraded {
  HttpResponse response{};
  std::unique_ptr<DuplexStream> stream{};
};

/// Thread-safe; connections are kept and used again, one request at a time on
/// each. No redirects are followed, and no proxy but HttpOptions' is used.
/// All calls: throw HttpError; support::Cancelled promptly when stop is
/// requested, in which case the server may have done what was asked.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  virtual HttpResponse send(const HttpRequest& request, std::stop_token stop) = 0;

  /// Asks for the connection itself (Connection: Upgrade, Upgrade: tcp), on a
  /// new connection. Waits for the answer until the deadline.
  virtual Upgraded upgrade(const HttpRequest& request,
                           std::chrono::steady_clock::time_point deadline,
                           std::stop_token stop) = 0;
};

/// libcurl. Nothing is connected before the first call. Throws HttpError for an
/// unusable certificate or key at the first call, not here.
std::unique_ptr<HttpClient> make_http_client(HttpOptions options);

/// One finished call, for counting and for the operator's eyes.
struct HttpCall {
  std::string method{};
  /// Without the query: it may hold what a user typed.
  std::string path{};
  /// 0: no answer came.
  int status = 0;
  std::chrono::microseconds duration{0};
};

/// Passes calls on and tells of each, on the calling thread.
std::unique_ptr<HttpClient> make_traced_client(std::unique_ptr<HttpClient> client,
                                               std::function<void(const HttpCall&)> on_call);

/// Appends `<pid> <method> <path> <status> <µs>` lines to a file; several
/// processes may share it. Losing a line is not an error.
std::function<void(const HttpCall&)> trace_to_file(const std::string& path);

/// RFC 3986: everything but unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

}  // namespace berth::net
