#pragma once

#include "executor/agentlink/client.hpp"
#include "executor/support/console.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::sandbox {

/// A service that was started, and what says that it is ready.
struct AwaitedService {
  /// As the job's author wrote it.
  std::string image{};
  /// Where the helper finds it; an IP address.
  std::string address{};
  /// readiness.hpp; never empty.
  std::vector<std::uint16_t> ports{};
  /// Words for how it ended ("ended with exit code 1\nits last lines: ..."), for
  /// a sentence after its name; nothing while it runs. Asked twice a second.
  std::function<std::optional<std::string>()> ended{};
  struct Late {
    /// " (its HEALTHCHECK says starting)", or nothing.
    std::string remark{};
    std::string log{};
  };
  /// What else is known of one that is not ready in time.
  std::function<Late()> late{};
};

/// "service 'x' ended with exit code 1...; the job goes on without it"
void warn_of_ended_service(const std::string& image, const std::string& words,
                           support::Console& console);

/// Connects to the helper's agent: once, and again whenever the connection is lost.
using ConnectHelper = std::function<agentlink::AgentClient()>;

/// Asks from the helper, on the job's own network, until each service answers on
/// one of its ports or `limit` has passed; time in which the helper was out of
/// reach does not count. A service that ends, or is not ready in time, is a warning
/// with its last log lines: the job goes on, as on the built-in executors.
/// Throws what the functions throw, Cancelled, and support::SystemError where the
/// agent breaks the protocol.
void await_services(const ConnectHelper& connect, const std::vector<AwaitedService>& services,
                    std::chrono::milliseconds limit, support::Console& console,
                    std::stop_token stop);

}  // namespace berth::sandbox
