#include "executor/docker/preparation.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/credentials/job_logins.hpp"
#include "executor/docker/engine/agent_volume.hpp"
#include "executor/docker/engine/exec_transport.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/networks.hpp"
#include "executor/docker/sandbox_values.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/sandbox/concurrently.hpp"
#include "executor/sandbox/helper_tools.hpp"
#include "executor/sandbox/secret_delivery.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::docker {
namespace {

ImageRequest request_of(const core::ContainerSpec& container, bool from_settings) {
  return {.image = container.image,
          .platform = container.platform,
          .policies = container.pull_policies,
          .from_settings = from_settings};
}

/// Whether the image counts entries of git's configuration in its environment.
bool sets_git_config(const ImageInfo& image) {
  return std::any_of(image.env.begin(), image.env.end(),
                     [](const std::string& one) { return one.starts_with("GIT_CONFIG_COUNT="); });
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
  m_placement.memory = sandbox::memory_directories(m_input.secrets);
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
        m_console, {.budget = m_spec.pull_retry_timeout}, stop);
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
                           m_helper_hello = meet(m_helper, token);
                           const auto transport = make_transport(m_engine, m_helper);
                           m_helper_path = sandbox::ensure_gitlab_runner(
                               *transport, m_helper.image, m_spec.connection_timeout, token);
                         },
                         [&](const std::stop_token& token) {
                           start_agent_container(m_engine, m_build, token);
                           m_build_hello = meet(m_build, token);
                         }},
                        stop);
  arrange_checkout(stop);
}

void Preparation::arrange_checkout(const std::stop_token& stop) {
  const auto& volumes = m_spec.volumes;
  const auto& binds = m_spec.binds;
  const bool kept =
      std::any_of(
          volumes.begin(), volumes.end(),
          [&](const auto& one) { return !one.per_job && one.destination == m_spec.builds_dir; }) ||
      std::any_of(binds.begin(), binds.end(),
                  [&](const auto& one) { return one.destination == m_spec.builds_dir; });
  const auto transport = make_transport(m_engine, m_helper);
  m_checkout = sandbox::arrange_checkout(
      [&] { return await_agent(m_engine, m_helper, *transport, k_hello_limit, m_console, stop); },
      {.users = {.helper = m_helper_hello.uid,
                 .build = m_build_hello.uid,
                 .build_group = m_build_hello.gid},
       .builds_dir = m_spec.builds_dir,
       .kept = kept,
       .umask_0000 = m_spec.helper_umask_0000},
      m_spec.connection_timeout, stop);
}

/// What its agent says of itself.
protocol::Hello Preparation::meet(AgentContainer& container, const std::stop_token& stop) {
  const auto await = [&] {
    const auto transport = make_transport(m_engine, container);
    return await_agent(m_engine, container, *transport, k_hello_limit, m_console, stop);
  };
  auto agent = [&] {
    try {
      return await();
    } catch (const agentlink::ConnectError& error) {
      support::log(support::LogLevel::info, error.what());
      container.socket_dir.clear();
      return await();
    }
  }();
  sandbox::require_shell(container.named(), agent.hello());
  sandbox::deliver_secrets(agent, container.role, m_input.secrets, stop);
  return agent.hello();
}

core::Sandbox Preparation::result() const {
  core::Sandbox sandbox;
  sandbox.backend = m_spec.backend;
  const auto set = [&sandbox](std::string_view key, std::string value) {
    sandbox.values[std::string(key)] = std::move(value);
  };
  set(k_value_helper_id, m_helper.id);
  set(k_value_build_id, m_build.id);
  set(k_value_helper_nonce, sandbox::nonce_text(m_helper_hello));
  set(k_value_build_nonce, sandbox::nonce_text(m_build_hello));
  sandbox::note_checkout(m_checkout, sets_git_config(helper_image().info),
                         sets_git_config(build_image().info), sandbox);
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
