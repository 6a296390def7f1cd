#pragma once

#include "executor/kubernetes/api/api_error.hpp"
#include "executor/kubernetes/api/connection.hpp"
#include "executor/kubernetes/api/resource.hpp"
#include "executor/net/http.hpp"
#include "executor/support/retry.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace berth::kubernetes {

struct ClientOptions {
  /// How long one call is repeated while the server is away or overloaded
  /// (JobSpec::connection_timeout).
  std::chrono::milliseconds patience{std::chrono::minutes{5}};
  /// The same for what a running server gives as an inner error (500, a webhook
  /// that does not answer): it may be its verdict.
  std::chrono::milliseconds error_patience{std::chrono::seconds{30}};
  support::Backoff backoff{std::chrono::milliseconds{100}, std::chrono::milliseconds{5000}};
  /// Told of every call when it is over, watches and execs too; may be empty.
  std::function<void(const net::HttpCall&)> on_call{};
  /// Told once per call as it starts to be repeated, with words for the job log:
  /// "kubernetes at 10.0.0.1:6443 is away: connection refused; trying for 5m".
  /// May be empty.
  std::function<void(const std::string&)> on_trouble{};
};

struct Selectors {
  /// "metadata.name=x,status.phase=Running"
  std::string field{};
  /// "berth.host=x,com.gitlab…managed=true"
  std::string label{};
};

enum class PatchType { merge, json, strategic, apply };

struct PatchOptions {
  PatchType type = PatchType::merge;
  /// Make it again when somebody else changed the object meanwhile (409).
  bool retry_conflict = false;
  /// Whose the changed fields are from now on; `apply` needs one.
  std::string field_manager{};
  /// Of `apply` (server-side apply: the patch is the whole object as its manager
  /// wants it, made where it is not there): takes over fields that others own.
  bool force = false;
};

struct DeleteOptions {
  std::optional<std::int64_t> grace_seconds{};
  /// Only the object with this uid; another is a 409.
  std::string uid{};
  /// "Background", "Foreground", "Orphan"; "" is the server's choice.
  std::string propagation{};
};

enum class Deletion { started, absent };

struct LogOptions {
  std::string container{};
  unsigned tail_lines = 20;
  std::size_t max_bytes = std::size_t{64} << 10;
  /// Of the container's run before this one.
  bool previous = false;
};

struct AccessQuestion {
  std::string name_space{};
  std::string verb{};
  Resource resource{};
  /// "exec", "log"
  std::string subresource{};
};

struct AccessAnswer {
  bool allowed = false;
  std::string reason{};
};

/// One API server, asked as one user. Thread-safe; a thread's calls use one
/// connection again and again. Objects are JSON as the server's documentation has
/// them; `name_space` is "" for objects that are in none.
///
/// Every method throws ApiError (the server said no), ApiUnreachable (no answer
/// within the patience), support::SystemError (an answer that makes no sense),
/// support::OperatorError (credentials cannot be had) and support::Cancelled.
///
/// Repeated within ClientOptions: every call after a failed connect, 429, 502,
/// 503 and 504, as the server's Retry-After says; reads, patches and deletes after
/// a lost reply too; creates of a named object also (see create()). A 401 is
/// asked once more with fresh credentials where those can be had.
class Client {
 public:
  explicit Client(Connection connection, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const Connection& connection() const noexcept;
  const ClientOptions& options() const noexcept;
  /// "kubernetes at 10.0.0.1:6443"
  std::string describe() const;

  nlohmann::json get(const Resource& resource, const std::string& name_space,
                     const std::string& name, std::stop_token stop);
  /// Nothing where the server says 404 for the object (a missing right is an error).
  std::optional<nlohmann::json> find(const Resource& resource, const std::string& name_space,
                                     const std::string& name, std::stop_token stop);
  /// Its metadata.uid alone, for objects that are large; nothing as find() says.
  std::optional<std::string> find_uid(const Resource& resource, const std::string& name_space,
                                      const std::string& name, std::stop_token stop);
  /// The whole list object, all pages: {"items": […], "metadata": {"resourceVersion"}}.
  /// Its items lack kind and apiVersion, as the server sends them.
  nlohmann::json list(const Resource& resource, const std::string& name_space,
                      const Selectors& selectors, std::stop_token stop);
  /// The object as the server made it. Where the reply to an earlier try was lost
  /// and the object is there with every label of `object`, that one is taken for
  /// the one made; without labels that is never assumed. Waits and tries again
  /// when two creates met in one quota (409 Conflict): nothing was made then.
  nlohmann::json create(const Resource& resource, const std::string& name_space,
                        const nlohmann::json& object, std::stop_token stop);
  nlohmann::json patch(const Resource& resource, const std::string& name_space,
                       const std::string& name, const nlohmann::json& patch,
                       const PatchOptions& options, std::stop_token stop);
  /// `absent`: it was gone before. Returns when the server has begun, not when the
  /// object is gone: watch for that.
  Deletion remove(const Resource& resource, const std::string& name_space, const std::string& name,
                  const DeleteOptions& options, std::stop_token stop);

  /// The last lines of a container's log, at most options.max_bytes.
  std::string logs(const std::string& name_space, const std::string& pod, const LogOptions& options,
                   std::stop_token stop);
  /// SelfSubjectAccessReview.
  AccessAnswer may(const AccessQuestion& question, std::stop_token stop);
  /// GET of any path: "/version".
  nlohmann::json get_path(const std::string& path, std::stop_token stop);

  /// For watch.cpp and exec.cpp.
  class Impl;
  Impl& impl() noexcept { return *m_impl; }

 private:
  std::unique_ptr<Impl> m_impl;
};

}  // namespace berth::kubernetes
