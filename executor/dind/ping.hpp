#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/dind/certificates.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

/// Whether a daemon answers, asked as a client in the job would: GET /_ping, through
/// TLS with the job's certificates where that is its mode.
namespace berth::dind {

struct PingTarget {
  /// Checked against the server's certificate.
  std::string host{};
  /// Nothing: plain HTTP.
  const Certificates* certificates = nullptr;
};

/// One question on a Stream of `berth-agent dial`. Returns nothing where the daemon
/// has answered 200, else why not. `still_wanted` is asked twice a second; the
/// question is given up when it says no. Throws Cancelled.
std::optional<std::string> ping(agentlink::Stream& stream, const PingTarget& target,
                                std::chrono::steady_clock::time_point deadline,
                                const std::function<bool()>& still_wanted, std::stop_token stop);

}  // namespace berth::dind
