#pragma once

#include "tests/bench/played_job.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace berth::bench {

/// How a job with docker:dind asks for its daemon's mode.
struct DaemonMode {
  std::string name{};
  std::vector<std::pair<std::string, std::string>> variables{};
};
/// TLS (no variable at all), and without it.
const std::vector<DaemonMode>& daemon_modes();

/// Plays a job with a daemon whose script lets a client try once; the job fails where
/// that does. Returns when its success was seen; `meanwhile` (may be empty) is called
/// then, while the containers still live.
std::chrono::steady_clock::time_point play_with_daemon(const Driver& driver, const DaemonMode& mode,
                                                       const std::function<void()>& meanwhile);

}  // namespace berth::bench
