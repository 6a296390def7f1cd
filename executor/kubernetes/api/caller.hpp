#pragma once

#include "executor/kubernetes/api/client.hpp"
#include "executor/net/http.hpp"
#include "executor/net/websocket.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Internal to executor/kubernetes/api.
namespace berth::kubernetes {

/// The time one piece of work may take with all its repetitions.
class Patience {
 public:
  explicit Patience(const ClientOptions& options);

  enum class Trouble { away, inner_error };
  /// Waits before the next try; false when there is no time for one. `words` are
  /// told to ClientOptions::on_trouble once.
  bool wait(Trouble trouble, std::chrono::milliseconds at_least, const std::string& words,
            const std::stop_token& stop);
  /// It works again: all time and all words anew.
  void succeeded();

 private:
  const ClientOptions& m_options;
  std::chrono::steady_clock::time_point m_start;
  unsigned m_tries = 0;
  bool m_told = false;
};

struct ApiCall {
  /// For messages: "create pod 'ci/berth-1'".
  std::string name{};
  /// Its target begins with /api, without the connection's prefix.
  net::HttpRequest request{};
  /// Making it twice is the same as once, or can be told apart afterwards: it is
  /// repeated when its reply was lost.
  bool repeat_when_lost = true;
  /// 409 that is not AlreadyExists: again.
  bool retry_conflict = false;
};

struct ApiAnswer {
  net::HttpResponse response{};
  /// An earlier try may have been carried out: its reply was lost.
  bool maybe_done_before = false;
};

/// Makes calls: credentials, retries, errors with names. Thread-safe.
class Caller {
 public:
  Caller(Connection connection, ClientOptions options);

  /// Repeats; throws ApiError for all but 2xx, with repeated() where it counts.
  ApiAnswer call(const ApiCall& call, const std::stop_token& stop);
  /// One try with what is known of credentials (and one more after a 401); throws
  /// ApiError and net::HttpError.
  net::HttpResponse once(const ApiCall& call, const std::stop_token& stop);
  /// One try (and one more after a 401): a status that is not 101 is in the answer.
  net::WebSocketAnswer websocket(net::WebSocketRequest request,
                                 std::chrono::steady_clock::time_point deadline,
                                 const std::stop_token& stop);

  const Connection& connection() const noexcept { return m_connection; }
  const ClientOptions& options() const noexcept { return m_options; }
  std::string describe() const { return "kubernetes at " + m_connection.host(); }

 private:
  struct Session {
    std::shared_ptr<net::HttpClient> http;
    net::HttpOptions options;
    std::vector<net::SecretHeader> headers;
  };
  Session session(const std::stop_token& stop);
  net::HttpResponse send(const ApiCall& call, const std::stop_token& stop);

  const Connection m_connection;
  const ClientOptions m_options;
  std::mutex m_mutex;
  Proof m_proof;
  net::HttpOptions m_http_options;
  std::shared_ptr<net::HttpClient> m_http;
};

/// "/api/v1/namespaces/ci/pods/x/log"; name and subresource may be empty.
std::string object_path(const Resource& resource, const std::string& name_space,
                        const std::string& name, const std::string& subresource = {});
/// "?a=b&c=d", percent-encoded; pairs with an empty value are left out.
std::string query(const std::vector<std::pair<std::string, std::string>>& pairs);
/// "create pod 'ci/x'"
std::string call_name(const std::string& verb, const Resource& resource,
                      const std::string& name_space, const std::string& name);

class Client::Impl {
 public:
  Impl(Connection connection, ClientOptions options)
      : caller(std::move(connection), std::move(options)) {}
  Caller caller;
};

}  // namespace berth::kubernetes
