#pragma once

#include "executor/support/error.hpp"

#include <string>

namespace berth::docker {

/// The engine answered, and the answer was no. The message reads
/// `docker engine at <host>: <call>: <the engine's words>`.
class EngineError : public support::Error {
 public:
  EngineError(support::Fault fault, int status, const std::string& message, std::string engine_text,
              std::string hint = {}, bool repeated = false)
      : support::Error(fault, message, std::move(hint)),
        m_status(status),
        m_engine_text(std::move(engine_text)),
        m_repeated(repeated) {}

  /// The HTTP status; where the engine (Podman) says 500 for what is plainly a
  /// 404 or a 409, that one.
  int status() const noexcept { return m_status; }
  bool not_found() const noexcept { return m_status == 404; }
  bool conflict() const noexcept { return m_status == 409; }
  /// The engine's words alone.
  const std::string& engine_text() const noexcept { return m_engine_text; }
  /// The reply to an earlier try of this call was lost: it may have been carried out.
  bool repeated() const noexcept { return m_repeated; }

 private:
  int m_status;
  std::string m_engine_text;
  bool m_repeated;
};

/// No answer could be had: not running, no permission, wrong TLS, or it went
/// away and did not come back in time. fault() tells which of operator_ and
/// infrastructure; the hint says what to look at.
class EngineUnreachable : public support::Error {
 public:
  using support::Error::Error;
};

/// What the engine said as it could not pull an image.
enum class PullFailure {
  missing,  ///< no such repository, tag, digest or platform: final
  denied,   ///< the registry wants (other) credentials: final
  network,  ///< the engine could not reach the registry, or it is overloaded: try again
  no_host,  ///< no such host name: a typing error, or a name server that is not up yet
  other,    ///< full disk, broken layer, ...
};

class PullError : public EngineError {
 public:
  PullError(PullFailure kind, support::Fault fault, int status, const std::string& message,
            std::string engine_text, std::string hint = {})
      : EngineError(fault, status, message, std::move(engine_text), std::move(hint)),
        m_kind(kind) {}

  PullFailure kind() const noexcept { return m_kind; }

 private:
  PullFailure m_kind;
};

}  // namespace berth::docker
