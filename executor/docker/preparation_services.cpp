// Preparation's part about services: what they are, that they start, that they answer.
#include "executor/dind/await.hpp"
#include "executor/docker/engine/exec_transport.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/preparation.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/sandbox/concurrently.hpp"
#include "executor/sandbox/readiness.hpp"
#include "executor/sandbox/service_wait.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace berth::docker {
namespace {

/// "5432/tcp" and "5432" to 5432; other protocols have no place here.
std::vector<std::uint16_t> tcp_ports(const std::vector<std::string>& exposed) {
  std::vector<std::uint16_t> ports;
  for (const std::string& entry : exposed) {
    const std::size_t slash = std::min(entry.find('/'), entry.size());
    if (slash != entry.size() && entry.substr(slash) != "/tcp") continue;
    std::uint16_t port = 0;
    const auto [stop, error] = std::from_chars(entry.data(), entry.data() + slash, port);
    if (error == std::errc() && stop == entry.data() + slash) ports.push_back(port);
  }
  return ports;
}

}  // namespace

/// What the services are started with, and which of them are Docker daemons.
void Preparation::know_services(const std::stop_token& stop) {
  for (std::size_t i = 0; i < m_spec.services.size(); ++i) {
    const core::ServiceSpec& service = m_spec.services[i];
    const std::vector<core::Variable> own = core::own_variables(m_input, service);
    m_known.push_back({.spec = &service,
                       .image = &service_image(i).info,
                       .environment = to_environment(gitlab::service_environment(
                           m_input.container_environment, m_input.expanded, own))});
  }
  if (m_known.empty()) return;
  dind::NetworkNeeds needs{.mtu = m_options.settings.network_mtu, .dns = m_options.settings.dns};
  // Of a bridge of its own a container has the engine's name server, at an address
  // that the daemon's containers cannot use.
  if (needs.dns.empty() && m_placement.host_directory) needs.dns = reachable_name_servers();
  m_daemons = Daemons(m_spec, m_known, m_input.expanded, needs);
  for (const std::string& words : m_daemons.warnings()) m_console.warning(words);
  if (m_daemons.wants_certificates()) {
    m_certificates = dind::make_certificates(dind::certificate_names(m_spec.services));
  }
  if (m_daemons.any() && !m_spec.layers_volume.empty()) {
    const std::string volume =
        m_state.hold(m_spec.layers_volume, m_spec, m_placement.host, support::unix_seconds(), stop);
    m_state.note_use(volume);
    m_daemons.keep_layers(volume);
    // Who held it is dead; its daemon may live on, and two would spoil the layers.
    for (const ContainerSummary& old :
         m_engine.list_containers({fmt::format("{}={}", k_label_layers, volume)}, stop)) {
      m_engine.remove_container(old.id, stop);
    }
  }
}

std::vector<PortUser> Preparation::port_users() const {
  std::vector<PortUser> users;
  for (std::size_t i = 0; i < m_known.size(); ++i) {
    if (!m_daemons.starts(i)) continue;
    const KnownService& service = m_known[i];
    PortUser user{.image = service.spec->container.image,
                  .alias = service.spec->aliases.empty() ? "" : service.spec->aliases.back()};
    if (const dind::Daemon* daemon = m_daemons.find(i)) {
      if (daemon->port != 0) user.ports = {daemon->port};
    } else {
      user.ports = sandbox::readiness_ports(user.image, service.environment,
                                            tcp_ports(service.image->exposed_ports));
    }
    users.push_back(std::move(user));
  }
  return users;
}

void Preparation::share_namespace() {
  require_ports_apart(port_users());
  std::vector<std::string>& names = m_placement.local_names;
  names = {"build"};
  for (std::size_t i = 0; i < m_spec.services.size(); ++i) {
    if (!m_daemons.starts(i)) continue;
    const auto& aliases = m_spec.services[i].aliases;
    names.insert(names.end(), aliases.begin(), aliases.end());
    if (m_daemons.find(i) == nullptr) continue;
    const auto& more = m_daemons.extras(i).aliases;
    names.insert(names.end(), more.begin(), more.end());
  }
  m_console.line("services share the job's network namespace: each answers on localhost");
}

void Preparation::start_service(std::size_t index, const std::stop_token& stop) {
  const core::ServiceSpec& service = m_spec.services[index];
  const ImageInfo& image = service_image(index).info;
  Environment environment = m_known[index].environment;
  m_daemons.complete(index, environment);
  StartedService& started = m_services[index];
  started.image = service.container.image;
  started.ports =
      sandbox::readiness_ports(started.image, environment, tcp_ports(image.exposed_ports));
  if (m_shared) started.address = "127.0.0.1";
  try {
    started.id =
        m_engine.create_container(service_name(m_spec, index),
                                  service_body(m_spec, index, m_placement, m_options.settings,
                                               image.id, environment, m_daemons.extras(index)),
                                  service.container.platform, stop);
    deliver_certificates(index, stop);
    m_engine.start_container(started.id, stop);
  } catch (const EngineError& error) {
    // 400: its entrypoint, command or user do not fit its image.
    if (error.status() != 400) throw;
    throw support::JobError(
        fmt::format("service '{}' could not be started: {}", started.image, error.engine_text()));
  }
}

/// Before the daemon starts, into the volumes it shares with its clients.
void Preparation::deliver_certificates(std::size_t index, const std::stop_token& stop) {
  const dind::Daemon* daemon = m_daemons.find(index);
  if (daemon == nullptr || daemon->mode != dind::Mode::tls) return;
  const std::string& user = service_image(index).info.user;
  const bool readable = !user.empty() && user != "root" && user != "0";
  m_engine.put_archive(m_services[index].id, "/",
                       certificate_archive(*m_certificates, daemon->cert_dir, readable), stop);
}

void Preparation::await_services_ready() {
  if (m_services.empty() || m_spec.wait_for_services_timeout.count() < 0) return;
  std::vector<StartedService> others;
  std::vector<sandbox::Task> tasks;
  for (std::size_t i = 0; i < m_services.size(); ++i) {
    if (!m_daemons.starts(i)) continue;
    const dind::Daemon* daemon = m_daemons.find(i);
    if (daemon == nullptr) {
      others.push_back(m_services[i]);
    } else if (daemon->mode == dind::Mode::own) {
      // Its certificates are its own: that it listens is all that can be asked.
      others.push_back(m_services[i]);
      others.back().ports.assign(daemon->port == 0 ? 0 : 1, daemon->port);
    } else {
      tasks.emplace_back([this, i](const std::stop_token& stop) { await_daemon(i, stop); });
    }
  }
  if (!others.empty()) {
    tasks.emplace_back([this, &others](const std::stop_token& stop) {
      const auto transport = make_transport(m_engine, m_helper);
      const auto connect = [&] {
        return await_agent(m_engine, m_helper, *transport, k_hello_limit, m_console, stop);
      };
      await_services(m_engine, connect, network_name(m_spec), others,
                     m_spec.wait_for_services_timeout, m_console, stop);
    });
  }
  sandbox::concurrently(std::move(tasks), m_stop);
}

void Preparation::await_daemon(std::size_t index, const std::stop_token& stop) {
  const StartedService& service = m_services[index];
  const dind::Daemon& daemon = *m_daemons.find(index);
  if (const auto words = words_of_end(m_engine, service, stop)) {
    sandbox::warn_of_ended_service(service.image, dind::with_cause(*words), m_console);
    return;
  }
  const auto address = address_of(m_engine, service, network_name(m_spec), m_console, stop);
  if (!address) return;
  const bool ready = dind::await_daemon(
      {.image = service.image,
       .address = *address,
       .port = daemon.port,
       .target = {.host = std::string(dind::k_docker_name),
                  .certificates = daemon.mode == dind::Mode::tls ? &*m_certificates : nullptr},
       .dial =
           [this](std::vector<std::string> arguments) {
             arguments.insert(arguments.begin(), "dial");
             return make_exec_transport(m_engine, m_helper.id, std::move(arguments));
           },
       .ended = [&] { return words_of_end(m_engine, service, stop); },
       .log = [&] { return log_tail(m_engine, service.id, stop); }},
      m_spec.wait_for_services_timeout, m_console, stop);
  if (!ready) return;
  const std::lock_guard guard(m_mutex);
  m_ready_daemons += fmt::format("{}{}", m_ready_daemons.empty() ? "" : " ", index);
}

}  // namespace berth::docker
