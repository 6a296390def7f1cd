#pragma once

#include "executor/agentlink/client.hpp"
#include "executor/core/backend.hpp"
#include "executor/credentials/registry_logins.hpp"
#include "executor/docker/agent_access.hpp"
#include "executor/docker/bodies.hpp"
#include "executor/docker/daemons.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/engine/image_pull.hpp"
#include "executor/docker/host_state.hpp"
#include "executor/docker/network_choice.hpp"
#include "executor/docker/options.hpp"
#include "executor/docker/service_check.hpp"
#include "executor/sandbox/checkout.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::docker {

/// Makes one attempt's containers: used once, by Backend::prepare. Order:
///
///     images of all containers, and the network, at once
///     agent's volume
///     which services are Docker daemons, and what that means
///     helper created
///     helper started | build created | each service created and started
///     build started  | helper's agent answers, its tools are checked
///     build's agent answers
///     the checkout is arranged for the build container's user
///     services answer
///
/// Where services share the job's network namespace, they start behind the helper.
/// What was made when something throws is left to cleanup.
class Preparation {
 public:
  Preparation(Engine& engine, const HostState& state, const BackendOptions& options,
              const core::JobSpec& spec, const core::PrepareInput& input, core::Console& console,
              std::stop_token stop);

  core::Sandbox run();

 private:
  /// An entrypoint may prepare much before it runs its command.
  static constexpr std::chrono::minutes k_hello_limit{10};

  void place();
  std::vector<ImageRequest> image_requests() const;
  void ensure_images_and_network();
  void make_network(const std::stop_token& stop);
  void know_services(const std::stop_token& stop);
  std::vector<PortUser> port_users() const;
  void share_namespace();
  void create_helper();
  void start_pair(const std::stop_token& stop);
  protocol::Hello meet(AgentContainer& container, const std::stop_token& stop);
  void arrange_checkout(const std::stop_token& stop);
  void start_service(std::size_t index, const std::stop_token& stop);
  void deliver_certificates(std::size_t index, const std::stop_token& stop);
  void await_services_ready();
  void await_daemon(std::size_t index, const std::stop_token& stop);
  core::Sandbox result() const;

  const ReadyImage& helper_image() const { return m_images.at(0); }
  const ReadyImage& build_image() const { return m_images.at(1); }
  const ReadyImage& service_image(std::size_t index) const { return m_images.at(2 + index); }

  Engine& m_engine;
  const HostState& m_state;
  const BackendOptions& m_options;
  const core::JobSpec& m_spec;
  const core::PrepareInput& m_input;
  core::Console& m_console;
  std::stop_token m_stop;

  Placement m_placement;
  std::vector<ReadyImage> m_images;
  AgentContainer m_helper;
  AgentContainer m_build;
  protocol::Hello m_helper_hello;
  /// PATH of its stages; empty: the container's.
  std::string m_helper_path;
  protocol::Hello m_build_hello;
  sandbox::Checkout m_checkout;
  std::vector<StartedService> m_services;
  /// What each is started with.
  std::vector<KnownService> m_known;
  Daemons m_daemons;
  std::optional<dind::Certificates> m_certificates;
  /// In the helper's namespace, with the job.
  bool m_shared = false;
  bool m_own_network = false;
  /// Indexes of the services whose daemons answered, with blanks between them.
  std::string m_ready_daemons;
  std::mutex m_mutex;
};

}  // namespace berth::docker
