#include "executor/docker/preparation.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/credentials/job_logins.hpp"
#include "executor/dind/await.hpp"
#include "executor/docker/engine/agent_volume.hpp"
#include "executor/docker/engine/exec_transport.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/networks.hpp"
#include "executor/docker/sandbox_values.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/sandbox/concurrently.hpp"
#include "executor/sandbox/helper_tools.hpp"
#include "executor/sandbox/readiness.hpp"
#include "executor/sandbox/service_wait.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <thread>

namespace berth::docker {
namespace {

/// An entrypoint may prepare much before it runs its command.
constexpr std::chrono::minutes k_hello_limit{10};

template <std::size_t Size>
std::string hex(const std::array<std::uint8_t, Size>& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

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

ImageRequest request_of(const core::ContainerSpec& container, bool from_settings) {
  return {.image = container.image,
          .platform = container.platform,
          .policies = container.pull_policies,
          .from_settings = from_settings};
}

/// "invalid mount config for type "bind": bind source path does not exist: ..."
bool says_path_is_missing(const EngineError& error) {
  return error.status() == 400 &&
         error.engine_text().find("bind source path does not exist") != std::string::npos;
}

}  // namespace

Preparation::Preparation(Engine& engine, const HostState& state, const BackendOptions& options,
                         const core::JobSpec& spec, const core::PrepareInput& input,
                         core::Console& console, std::stop_token stop)
    : m_engine(engine),
      m_state(state),
      m_options(options),
      m_spec(spec),
      m_input(input),
      m_console(console),
      m_stop(std::move(stop)),
      m_services(spec.services.size()) {}

core::Sandbox Preparation::run() {
  place();
  ensure_images_and_network();
  create_helper();
  if (m_shared) {
    start_agent_container(m_engine, m_helper, m_stop);
    m_placement.namespace_of = m_helper.id;
  }
  std::vector<sandbox::Task> tasks;
  for (std::size_t i = 0; i < m_spec.services.size(); ++i) {
    if (!m_daemons.starts(i)) continue;
    tasks.emplace_back([this, i](const std::stop_token& stop) { start_service(i, stop); });
  }
  tasks.emplace_back([this](const std::stop_token& stop) { start_pair(stop); });
  sandbox::concurrently(std::move(tasks), m_stop);
  await_services_ready();
  return result();
}

void Preparation::place() {
  m_placement.host = m_state.identity(m_spec.tmpdir);
  // Its record is what the next attempt's sweep finds this one by, with or
  // without sockets in it.
  const auto directory = m_state.make_attempt(m_spec, m_placement.host);
  if (m_options.direct_sockets && m_engine.address().is_unix()) {
    m_placement.host_directory = directory;
  }
  for (const core::VolumeSpec& volume : m_spec.volumes) {
    const bool held = !volume.per_job && volume.destination == m_spec.builds_dir;
    m_placement.volumes.push_back(
        held ? m_state.hold(volume.name, m_spec, m_placement.host, support::unix_seconds(), m_stop)
             : volume.name);
    if (!volume.per_job) m_state.note_use(m_placement.volumes.back());
  }
}

std::vector<ImageRequest> Preparation::image_requests() const {
  std::vector<ImageRequest> requests = {request_of(m_spec.helper, true),
                                        request_of(m_spec.build, !m_input.job.image)};
  for (const core::ServiceSpec& service : m_spec.services) {
    requests.push_back(request_of(service.container, service.job_index < 0));
  }
  return requests;
}

void Preparation::ensure_images_and_network() {
  const auto images = [this](const std::stop_token& stop) {
    m_images = ensure_images(
        m_engine, image_requests(),
        [&] { return credentials::load_job_logins(m_input, m_options.home, m_console, stop); },
        m_console, {}, stop);
    m_placement.agent_volume = ensure_agent_volume(m_engine,
                                                   {.state_dir = m_state.folder(),
                                                    .program_dir = m_options.program_dir,
                                                    .image = helper_image().info.id,
                                                    .host = m_placement.host},
                                                   stop)
                                   .name;
    know_services(stop);
  };
  // Where the job's variables name no port on localhost, nothing has to be known of
  // its services to make their network.
  const settings::NetworkMode mode = m_options.settings.network;
  std::vector<std::uint16_t> ports;
  if (!m_spec.services.empty() && mode == settings::NetworkMode::automatic) {
    ports = local_ports(m_input.job, m_input.expanded);
  }
  m_shared = !m_spec.services.empty() && mode == settings::NetworkMode::shared;
  if (ports.empty()) {
    sandbox::concurrently({[this](const std::stop_token& stop) { make_network(stop); }, images},
                          m_stop);
  } else {
    images(m_stop);
    m_shared = wants_any(port_users(), ports);
    make_network(m_stop);
  }
  if (m_shared) share_namespace();
}

void Preparation::make_network(const std::stop_token& stop) {
  m_own_network = !m_spec.services.empty() && !m_shared;
  m_placement.network_id =
      m_own_network ? create_job_network(m_engine, m_spec, m_placement.host,
                                         m_options.settings.network_mtu, stop)
                    : network_without_services(m_engine, m_state, m_spec, m_options.settings, stop);
}

/// What the services are started with, and which of them are Docker daemons.
void Preparation::know_services(const std::stop_token& stop) {
  for (std::size_t i = 0; i < m_spec.services.size(); ++i) {
    const core::ServiceSpec& service = m_spec.services[i];
    std::vector<core::Variable> own;
    if (service.job_index >= 0) {
      own = m_input.job.services.at(static_cast<std::size_t>(service.job_index)).variables;
    }
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

void Preparation::create_helper() {
  const auto create = [this] {
    return m_engine.create_container(
        helper_name(m_spec),
        helper_body(m_spec, m_placement, m_options.settings, helper_image().info.id),
        m_spec.helper.platform, m_stop);
  };
  m_helper = {.role = core::ContainerRole::helper,
              .id = {},
              .image = m_spec.helper.image,
              .socket_dir = {}};
  m_build = {
      .role = core::ContainerRole::build, .id = {}, .image = m_spec.build.image, .socket_dir = {}};
  try {
    m_helper.id = create();
  } catch (const EngineError& error) {
    // A socket on this host, an engine that sees other files: a runner in a
    // container, a forwarded socket, a virtual machine.
    if (!m_placement.host_directory || !says_path_is_missing(error)) throw;
    m_placement.host_directory.reset();
    m_helper.id = create();
  }
  if (m_placement.host_directory) {
    m_helper.socket_dir = *m_placement.host_directory / "helper";
    m_build.socket_dir = *m_placement.host_directory / "build";
  }
}

void Preparation::start_pair(const std::stop_token& stop) {
  sandbox::concurrently(
      {[this](const std::stop_token& token) {
         Environment environment = to_environment(m_input.container_environment);
         m_daemons.complete_build(environment);
         m_build.id = m_engine.create_container(
             build_name(m_spec),
             build_body(m_spec, m_placement, m_options.settings, build_image().info.id, environment,
                        m_helper.id, m_daemons.build_mounts()),
             m_spec.build.platform, token);
       },
       [this](const std::stop_token& token) {
         if (!m_shared) start_agent_container(m_engine, m_helper, token);
       }},
      stop);
  sandbox::concurrently({[&](const std::stop_token& token) {
                           m_helper_nonce = meet(m_helper, token);
                           const auto transport = make_transport(m_engine, m_helper);
                           m_helper_path = sandbox::ensure_gitlab_runner(
                               *transport, m_helper.image, m_spec.connection_timeout, token);
                         },
                         [&](const std::stop_token& token) {
                           start_agent_container(m_engine, m_build, token);
                           m_build_nonce = meet(m_build, token);
                         }},
                        stop);
}

/// Its agent's nonce.
std::string Preparation::meet(AgentContainer& container, const std::stop_token& stop) {
  const auto await = [&] {
    const auto transport = make_transport(m_engine, container);
    return await_agent(m_engine, container, *transport, k_hello_limit, m_console, stop);
  };
  const auto agent = [&] {
    try {
      return await();
    } catch (const agentlink::ConnectError& error) {
      support::log(support::LogLevel::info, error.what());
      container.socket_dir.clear();
      return await();
    }
  }();
  sandbox::require_shell(container.named(), agent.hello());
  return hex(agent.hello().nonce);
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

core::Sandbox Preparation::result() const {
  core::Sandbox sandbox;
  sandbox.backend = m_spec.backend;
  const auto set = [&sandbox](std::string_view key, std::string value) {
    sandbox.values[std::string(key)] = std::move(value);
  };
  set(k_value_helper_id, m_helper.id);
  set(k_value_build_id, m_build.id);
  set(k_value_helper_nonce, m_helper_nonce);
  set(k_value_build_nonce, m_build_nonce);
  if (!m_helper_path.empty()) set(k_value_helper_path, m_helper_path);
  set(k_value_state_dir, m_state.folder().string());
  if (!m_helper.socket_dir.empty()) set(k_value_helper_socket_dir, m_helper.socket_dir.string());
  if (!m_build.socket_dir.empty()) set(k_value_build_socket_dir, m_build.socket_dir.string());
  if (m_own_network) set(k_value_network_id, m_placement.network_id);
  if (!m_ready_daemons.empty()) set(agentlink::k_value_ask_why, m_ready_daemons);
  if (m_certificates) set(k_value_daemon_certificates, "true");
  return sandbox;
}

}  // namespace berth::docker
