#pragma once

#include "executor/support/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::kubernetes {

/// What an API server says about a failure (meta/v1 Status), or what stood there
/// instead of it.
struct ApiStatus {
  /// The HTTP status.
  int code = 0;
  /// "NotFound", "AlreadyExists", "Forbidden", ... ; "" where a proxy answered.
  std::string reason{};
  /// The server's own words, one line, never empty.
  std::string message{};
  /// One entry of details.causes.
  struct Cause {
    std::string reason{};
    std::string message{};
    std::string field{};
  };
  std::vector<Cause> causes{};
  /// From the Retry-After header or details.retryAfterSeconds.
  std::optional<std::chrono::seconds> retry_after{};
};

/// The API server answered, and the answer was no. The message reads
/// `kubernetes at <host>: <verb> <kind> '<namespace>/<name>': <the server's words>`.
class ApiError : public support::Error {
 public:
  ApiError(support::Fault fault, const std::string& message, ApiStatus status,
           std::string hint = {}, bool repeated = false)
      : support::Error(fault, message, std::move(hint)),
        m_status(std::move(status)),
        m_repeated(repeated) {}

  const ApiStatus& status() const noexcept { return m_status; }
  int code() const noexcept { return m_status.code; }
  const std::string& reason() const noexcept { return m_status.reason; }
  /// The server's words alone.
  const std::string& server_text() const noexcept { return m_status.message; }

  bool not_found() const noexcept { return m_status.code == 404; }
  /// An object of that name is there (also one that is being deleted).
  bool already_exists() const noexcept { return m_status.reason == "AlreadyExists"; }
  /// Somebody else changed it meanwhile.
  bool conflict() const noexcept { return m_status.code == 409 && !already_exists(); }
  bool unauthorized() const noexcept { return m_status.code == 401; }
  /// 403 for whatever reason: RBAC, quota, admission.
  bool forbidden() const noexcept { return m_status.code == 403; }
  /// 403 that a ResourceQuota gave: more room may come.
  bool is_quota() const;
  /// 403 or 400 of a LimitRange, PodSecurity, or an admission webhook or policy.
  bool is_admission() const;
  /// 403 of the authoriser: a right is missing.
  bool is_rbac() const;
  /// 422 (or 400): the object itself is wrong.
  bool invalid() const noexcept { return m_status.code == 422 || m_status.code == 400; }
  /// The namespace is being deleted: nothing can be made in it.
  bool namespace_terminating() const;
  /// 410: the resource version is too old.
  bool gone() const noexcept { return m_status.code == 410; }
  /// The reply to an earlier try of this call was lost: it may have been carried out.
  bool repeated() const noexcept { return m_repeated; }

 private:
  ApiStatus m_status;
  bool m_repeated;
};

/// No answer could be had within the client's patience: wrong address, TLS, or the
/// server is away. fault() tells which of operator_ and infrastructure; the hint
/// says what to look at.
class ApiUnreachable : public support::Error {
 public:
  using support::Error::Error;
};

}  // namespace berth::kubernetes
