// Preparation's second half: containers run, now their agents and services answer.
#include "executor/agentlink/client.hpp"
#include "executor/agentlink/relayed_transport.hpp"
#include "executor/dind/await.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/kubernetes/api/exec_transport.hpp"
#include "executor/kubernetes/preparation.hpp"
#include "executor/kubernetes/service_ports.hpp"
#include "executor/sandbox/concurrently.hpp"
#include "executor/sandbox/container_end.hpp"
#include "executor/sandbox/helper_tools.hpp"
#include "executor/sandbox/job_container.hpp"
#include "executor/sandbox/readiness.hpp"
#include "executor/sandbox/secret_delivery.hpp"
#include "executor/sandbox/service_wait.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

namespace berth::kubernetes {
namespace {

/// An entrypoint may prepare much before it runs its command.
constexpr std::chrono::minutes k_hello_limit{10};

std::vector<std::string> to_environment(const core::Variables& variables) {
  std::vector<std::string> pairs;
  for (const core::Variable& one : variables.all()) pairs.push_back(one.key + "=" + one.value);
  return pairs;
}

}  // namespace

std::unique_ptr<agentlink::RelayedTransport> Preparation::transport(
    core::ContainerRole role) const {
  auto exec = make_exec_transport(m_place.client, {.name_space = m_place.name_space,
                                                   .pod = pod_name(m_spec),
                                                   .container = container_name(role),
                                                   .uid = m_uid});
  return std::make_unique<agentlink::RelayedTransport>(tunnel_socket_dir(m_spec.tmpdir, role),
                                                       std::move(exec));
}

void Preparation::meet(core::ContainerRole role, const std::stop_token& stop) {
  const bool helper = role == core::ContainerRole::helper;
  const sandbox::JobContainer container{.role = role,
                                        .image = helper ? m_spec.helper.image : m_spec.build.image};
  const auto way = transport(role);
  try {
    auto agent = agentlink::AgentClient::connect(*way, Clock::now() + k_hello_limit, stop);
    sandbox::require_shell(container, agent.hello());
    sandbox::deliver_secrets(agent, role, m_input.secrets, stop);
    (helper ? m_helper_hello : m_build_hello) = agent.hello();
    if (!way->relayed()) m_tunnels_work = false;
  } catch (const agentlink::ConnectError& error) {
    const std::string message = fmt::format("{}: its agent cannot be reached: {}",
                                            sandbox::called(container), error.what());
    if (error.kind() == agentlink::ConnectFailure::absent)
      throw support::OperatorError(message, "check `agent_image` and `pod_spec`");
    throw support::SystemError(message);
  }
  if (helper) {
    m_helper_path =
        sandbox::ensure_gitlab_runner(*way, container.image, m_spec.connection_timeout, stop);
  }
}

std::optional<std::string> Preparation::words_of_end(const PlannedContainer& container) {
  const std::lock_guard guard(m_mutex);
  m_watch->next(Clock::now(), m_stop);
  if (!m_watch->state()) return std::nullopt;
  const ContainerState* state = m_watch->state()->find(container.name);
  if (state == nullptr || !state->terminated()) return std::nullopt;
  const std::string log = log_of(container.name);
  return explain(*state) + sandbox::quote_log(log) + port_taken_hint(log);
}

void Preparation::await_daemon(std::size_t service, const std::stop_token& stop) {
  const PlannedContainer& container = m_containers[2 + service];
  const dind::Daemon& daemon = m_place.daemons.found.find(service)->plan;
  const auto& certificates = m_place.daemons.certificates;
  const bool ready = dind::await_daemon(
      {.image = container.image,
       .address = "127.0.0.1",
       .port = daemon.port,
       .target = {.host = std::string(dind::k_docker_name),
                  .certificates = daemon.mode == dind::Mode::tls ? &*certificates : nullptr},
       .dial =
           [this](std::vector<std::string> arguments) {
             return make_exec_transport(m_place.client,
                                        {.name_space = m_place.name_space,
                                         .pod = pod_name(m_spec),
                                         .container = container_name(core::ContainerRole::helper),
                                         .uid = m_uid,
                                         .argument = "dial",
                                         .more = std::move(arguments)});
           },
       .ended = [&] { return words_of_end(container); },
       .log = [&] { return log_of(container.name); }},
      m_spec.wait_for_services_timeout, m_console, stop);
  if (!ready) return;
  const std::lock_guard guard(m_mutex);
  m_ready_daemons +=
      fmt::format("{}{} {}", m_ready_daemons.empty() ? "" : " ", service, container.name);
}

void Preparation::arrange_checkout() {
  const auto way = transport(core::ContainerRole::helper);
  const auto connect = [&] {
    return agentlink::AgentClient::connect(*way, Clock::now() + m_spec.connection_timeout, m_stop);
  };
  try {
    m_checkout =
        sandbox::arrange_checkout(connect,
                                  {.users = {.helper = m_helper_hello.uid,
                                             .build = m_build_hello.uid,
                                             .build_group = m_build_hello.gid},
                                   .builds_dir = m_spec.builds_dir,
                                   .kept = settings::is_shared(m_place.settings, m_spec.builds_dir),
                                   .umask_0000 = m_spec.helper_umask_0000},
                                  m_spec.connection_timeout, m_stop);
  } catch (const agentlink::ConnectError& error) {
    throw support::SystemError(error.what());
  }
}

void Preparation::await_services() {
  if (m_spec.services.empty() || m_spec.wait_for_services_timeout.count() < 0) return;
  std::vector<sandbox::AwaitedService> awaited;
  std::vector<KnownService> known;
  std::vector<sandbox::Task> tasks;
  const PodInputs inputs = pod_inputs();
  for (std::size_t i = 0; i < m_spec.services.size(); ++i) {
    const PlannedContainer& container = m_containers[2 + i];
    const dind::JobDaemon* daemon = m_place.daemons.found.find(i);
    const auto environment = to_environment(gitlab::service_environment(
        m_input.container_environment, m_input.expanded, inputs.services[i].own));
    // Which ports an image exposes a cluster does not tell.
    auto ports = sandbox::readiness_ports(container.image, environment, {});
    if (daemon != nullptr) ports.assign(daemon->plan.port == 0 ? 0 : 1, daemon->plan.port);
    const auto& aliases = m_spec.services[i].aliases;
    known.push_back({.image = container.image,
                     .alias = aliases.empty() ? std::string() : aliases.back(),
                     .ports = ports});
    if (daemon != nullptr && daemon->plan.mode != dind::Mode::own) {
      tasks.emplace_back([this, i](const std::stop_token& stop) { await_daemon(i, stop); });
      continue;
    }
    if (const auto words = words_of_end(container)) {
      sandbox::warn_of_ended_service(container.image, *words, m_console);
    } else if (ports.empty()) {
      m_console.line(
          fmt::format("service '{}': no port of it is known (HEALTHCHECK_TCP_PORT names "
                      "one): not waited for",
                      container.image));
    } else {
      awaited.push_back({.image = container.image,
                         .address = "127.0.0.1",
                         .ports = std::move(ports),
                         .ended = [this, &container] { return words_of_end(container); },
                         .late =
                             [this, &container] {
                               return sandbox::AwaitedService::Late{.remark = {},
                                                                    .log = log_of(container.name)};
                             }});
    }
  }
  for (const std::string& line : contested_ports(known)) m_console.warning(line);
  if (!awaited.empty()) {
    tasks.emplace_back([this, &awaited](const std::stop_token& stop) {
      const auto way = transport(core::ContainerRole::helper);
      const auto connect = [&] {
        return agentlink::AgentClient::connect(*way, Clock::now() + m_spec.connection_timeout,
                                               stop);
      };
      sandbox::await_services(connect, awaited, m_spec.wait_for_services_timeout, m_console, stop);
    });
  }
  try {
    sandbox::concurrently(std::move(tasks), m_stop);
  } catch (const agentlink::ConnectError& error) {
    throw support::SystemError(error.what());
  }
}

}  // namespace berth::kubernetes
