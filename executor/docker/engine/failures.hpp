#pragma once

#include "executor/docker/engine/address.hpp"
#include "executor/docker/engine/engine_error.hpp"
#include "executor/net/http.hpp"

#include <cstddef>
#include <string>
#include <string_view>

/// From what came (or did not) to errors with words an operator can use. Pure.
namespace berth::docker {

/// What an answer of 400 and above says.
struct Complaint {
  /// The HTTP status, or the one Podman meant where it says 500.
  int status = 0;
  /// One line.
  std::string text{};
};

/// Bodies are {"message"} (Docker) or {"cause","message","response"} (Podman).
Complaint read_complaint(int status, std::string_view body);

/// `docker engine at <host>: <call>: <text>`
EngineError refused(const EngineAddress& address, const std::string& call,
                    const Complaint& complaint, bool repeated = false);

/// known: this engine has answered before, so the address and rights are right.
EngineUnreachable unreachable(const EngineAddress& address, const std::string& call,
                              const net::HttpError& error, bool known);

/// What a pull's error text means.
struct PullVerdict {
  PullFailure kind = PullFailure::other;
  support::Fault fault = support::Fault::infrastructure;
  std::string hint{};
};

/// The registry's words reach us through the engine as free text; the phrases
/// are those gitlab-runner tells apart (common/classify_image_pull_failure.go)
/// and what Docker's distribution client writes beside them.
PullVerdict classify_pull_failure(int status, std::string_view text);

/// How much of an engine's own words a message bears.
inline constexpr std::size_t k_longest_words = 500;

}  // namespace berth::docker
