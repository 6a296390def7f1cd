#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/dind/ping.hpp"
#include "executor/support/console.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::dind {

/// A daemon that was started, and how it is asked whether it is ready.
struct AwaitedDaemon {
  /// As the job's author wrote it.
  std::string image{};
  /// Where the helper finds it: an IP address.
  std::string address{};
  std::uint16_t port = 0;
  PingTarget target{};
  /// Streams of `berth-agent dial` in the helper, with these arguments.
  std::function<std::unique_ptr<agentlink::Transport>(std::vector<std::string>)> dial{};
  /// How it ended, in words for a sentence after its name, with its last lines;
  /// nothing while it runs.
  std::function<std::optional<std::string>()> ended{};
  /// Its last lines.
  std::function<std::string()> log{};
};

/// Asks until it answers /_ping, has ended, or `limit` is over; the last two are
/// warnings with its last lines and the likely cause: the job goes on, as for any
/// service. Whether it answered. Throws Cancelled, and what the functions throw.
bool await_daemon(const AwaitedDaemon& daemon, std::chrono::milliseconds limit,
                  support::Console& console, std::stop_token stop);

}  // namespace berth::dind
