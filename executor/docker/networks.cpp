#include "executor/docker/networks.hpp"

#include "executor/docker/bodies.hpp"
#include "executor/docker/names.hpp"
#include "executor/support/error.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace berth::docker {
namespace {

constexpr unsigned k_removal_tries = 10;
constexpr support::Backoff k_removal_backoff{.first = std::chrono::milliseconds(20),
                                             .max = std::chrono::milliseconds(1000)};

/// "could not find an available, non-overlapping IPv4 address pool among the
/// defaults to assign to the network" (20.10 to 27), "all predefined address
/// pools have been fully subnetted" (28).
bool says_pools_are_used_up(const std::string& text) {
  return text.find("non-overlapping IPv4 address pool") != std::string::npos ||
         text.find("predefined address pools") != std::string::npos;
}

std::string create(Engine& engine, const nlohmann::json& body, std::stop_token stop) {
  try {
    return engine.create_network(body, stop);
  } catch (const EngineError& error) {
    if (!says_pools_are_used_up(error.engine_text())) throw;
    throw support::OperatorError(
        fmt::format("no addresses left for the job's network: {}: {}", engine.describe(),
                    error.engine_text()),
        "remove unused networks (docker network prune), or give the engine more: "
        "\"default-address-pools\": [{\"base\": \"10.200.0.0/16\", \"size\": 24}] in its "
        "daemon.json");
  }
}

/// Lists instead of asking by name: a name that stands for two is an error.
std::optional<std::string> find_shared(Engine& engine, int mtu, std::stop_token stop) {
  const std::string type = std::string(k_label_type) + "=network";
  const std::string managed = std::string(k_label_managed) + "=true";
  const NetworkInfo* oldest = nullptr;
  const auto networks = engine.list_networks({managed, type}, stop);
  for (const NetworkInfo& network : networks) {
    if (network.name != shared_network_name(mtu)) continue;
    if (oldest == nullptr || network.created < oldest->created) oldest = &network;
  }
  return oldest == nullptr ? std::nullopt : std::optional(oldest->id);
}

constexpr const char* k_default_bridge = "bridge";

}  // namespace

std::string network_without_services(Engine& engine, const HostState& state,
                                     const core::JobSpec& spec, const settings::Docker& options,
                                     std::stop_token stop) {
  const bool own = options.network_isolation || options.network_mtu > 0;
  // A daemon of "bridge": "none" has no default bridge.
  if (!own && engine.find_network(k_default_bridge, stop)) return k_default_bridge;
  return ensure_shared_network(engine, state, spec, options.network_mtu, stop);
}

std::string ensure_shared_network(Engine& engine, const HostState& state, const core::JobSpec& spec,
                                  int mtu, std::stop_token stop) {
  if (const auto id = find_shared(engine, mtu, stop)) return *id;
  const support::Fd guard = state.lock("network", stop);
  if (const auto id = find_shared(engine, mtu, stop)) return *id;
  try {
    return create(engine, shared_network_body(spec, mtu), stop);
  } catch (const EngineError& error) {
    if (!error.conflict()) throw;
  }
  // Another host was quicker, or the name is somebody else's.
  if (const auto id = find_shared(engine, mtu, stop)) return *id;
  throw support::OperatorError(
      fmt::format("the network for jobs cannot be made: '{}': {} has one of that name that is not "
                  "Berth's",
                  shared_network_name(mtu), engine.describe()),
      "remove or rename that network");
}

std::string create_job_network(Engine& engine, const core::JobSpec& spec, const std::string& host,
                               int mtu, std::stop_token stop) {
  return create(engine, job_network_body(spec, host, mtu), stop);
}

bool remove_network(Engine& engine, const std::string& id, std::stop_token stop) {
  for (unsigned attempt = 1;; ++attempt) {
    try {
      return engine.remove_network(id, stop) != Removal::absent;
    } catch (const EngineError& error) {
      // 403: "network ... has active endpoints".
      if (error.status() != 403 || attempt >= k_removal_tries) throw;
    }
    const auto wait = support::delay(k_removal_backoff, attempt, support::random_unit());
    if (!support::sleep_for(wait, stop)) throw support::Cancelled();
  }
}

}  // namespace berth::docker
