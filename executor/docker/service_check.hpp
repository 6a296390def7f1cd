#pragma once

#include "executor/core/backend.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/sandbox/service_wait.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::docker {

/// A service that was started, and what says that it is ready.
struct StartedService {
  std::string id;
  /// As the job's author wrote it.
  std::string image;
  /// readiness.hpp; empty: nothing to wait for.
  std::vector<std::uint16_t> ports;
  /// Where the helper finds it, where that is known beforehand.
  std::string address{};
};

/// How a service has ended, with its last lines; nothing while it runs.
std::optional<std::string> words_of_end(Engine& engine, const StartedService& service,
                                        const std::stop_token& stop);

/// Where the helper finds the service; nothing, and a warning, where it has ended or
/// has no address in the network of that name.
std::optional<std::string> address_of(Engine& engine, const StartedService& service,
                                      const std::string& network, core::Console& console,
                                      const std::stop_token& stop);

/// Asks from the helper, on the job's own network, until each service answers on
/// one of its ports or `limit` has passed. A service that ends, or is not ready
/// in time, is a warning with its last log lines: the job goes on, as on the
/// built-in executor. `network`: name of the network the addresses are on.
/// Throws support::SystemError where helper or engine are lost, Cancelled.
void await_services(Engine& engine, const sandbox::ConnectHelper& connect,
                    const std::string& network, const std::vector<StartedService>& services,
                    std::chrono::milliseconds limit, core::Console& console, std::stop_token stop);

}  // namespace berth::docker
