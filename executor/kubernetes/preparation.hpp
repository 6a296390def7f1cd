#pragma once

#include "executor/agentlink/relayed_transport.hpp"
#include "executor/core/backend.hpp"
#include "executor/credentials/registry_logins.hpp"
#include "executor/kubernetes/agent_delivery.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/kubernetes/options.hpp"
#include "executor/kubernetes/pod/pod.hpp"
#include "executor/kubernetes/pod_watch.hpp"
#include "executor/kubernetes/startup.hpp"
#include "executor/kubernetes/tunnels.hpp"
#include "executor/sandbox/checkout.hpp"

#include <nlohmann/json_fwd.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::kubernetes {

/// Where one job's pod lives, and by which settings.
struct Placement {
  Client& client;
  /// Of apply_overwrites().
  const settings::Kubernetes& settings;
  std::string name_space;
  /// state::host_id.
  std::string host;
  /// Among the services of the JobSpec that Preparation is given.
  const PodDaemons& daemons;
};

/// Makes one attempt's pod: used once, by Backend::prepare. Order:
///
///     the pod, and while it starts the agent's ConfigMap and berth-tunnel
///     where the pod needs one its Secret, then the scheduling gate goes
///     each agent answers as soon as its container runs, the helper's tools are checked
///     all containers run (again with the next pull policy where one cannot)
///     the checkout is arranged for the build container's user
///     services answer
///
/// What was made when something throws is left to cleanup.
class Preparation {
 public:
  Preparation(const Placement& place, const BackendOptions& options, const core::JobSpec& spec,
              const core::PrepareInput& input, core::Console& console, std::stop_token stop);

  core::Sandbox run();

 private:
  using Clock = std::chrono::steady_clock;

  PodInputs pod_inputs() const;
  nlohmann::json create_within_quota(const nlohmann::json& body, Clock::time_point until);
  void create_pod(Clock::time_point until);
  void start_tunnels();
  void remove_and_await_gone(Clock::time_point until);
  void bring_up(Clock::time_point until);
  bool come_up(Clock::time_point until);
  void await_news(Clock::time_point until, const std::stop_token& wake);
  bool use_next_policy(std::size_t container);
  [[noreturn]] void fail(const Cause& cause);
  std::string log_of(const std::string& container) const;

  std::unique_ptr<agentlink::RelayedTransport> transport(core::ContainerRole role) const;
  void meet(core::ContainerRole role, const std::stop_token& stop);
  void arrange_checkout();
  void await_services();
  void await_daemon(std::size_t service, const std::stop_token& stop);
  std::optional<std::string> words_of_end(const PlannedContainer& container);
  core::Sandbox result() const;

  const Placement& m_place;
  const BackendOptions& m_options;
  const core::JobSpec& m_spec;
  const core::PrepareInput& m_input;
  core::Console& m_console;
  std::stop_token m_stop;

  AgentDelivery m_agent;
  bool m_agent_delivered = false;
  credentials::RegistryLogins m_logins;
  std::vector<PlannedContainer> m_containers;
  std::vector<std::size_t> m_pull_attempts;
  bool m_notes_told = false;
  std::string m_uid;
  std::optional<PodWatch> m_watch;
  /// Of m_watch while services are waited for, and of m_ready_daemons.
  std::mutex m_mutex;
  /// Of the services whose daemons answered, with blanks between: index and container, whose
  /// name is made of what only this stage knows.
  std::string m_ready_daemons;
  std::optional<Tunnels> m_tunnels;
  /// Both agents were met through them.
  std::atomic<bool> m_tunnels_work = true;
  protocol::Hello m_helper_hello;
  /// PATH of its stages; empty: the container's.
  std::string m_helper_path;
  protocol::Hello m_build_hello;
  sandbox::Checkout m_checkout;
};

}  // namespace berth::kubernetes
