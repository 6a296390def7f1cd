#include "executor/docker/preparation.hpp"

#include "executor/credentials/job_logins.hpp"
#include "executor/docker/engine/agent_volume.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/networks.hpp"
#include "executor/docker/sandbox_values.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/sandbox/concurrently.hpp"
#include "executor/sandbox/helper_tools.hpp"
#include "executor/sandbox/readiness.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
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
  std::vector<sandbox::Task> tasks;
  for (std::size_t i = 0; i < m_spec.services.size(); ++i) {
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
  };
  const auto network = [this](const std::stop_token& stop) {
    const int mtu = m_options.settings.network_mtu;
    m_placement.network_id =
        m_spec.services.empty()
            ? network_without_services(m_engine, m_state, m_spec, m_options.settings, stop)
            : create_job_network(m_engine, m_spec, m_placement.host, mtu, stop);
  };
  sandbox::concurrently({network, images}, m_stop);
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
         m_build.id = m_engine.create_container(
             build_name(m_spec),
             build_body(m_spec, m_placement, m_options.settings, build_image().info.id,
                        to_environment(m_input.container_environment), m_helper.id),
             m_spec.build.platform, token);
       },
       [this](const std::stop_token& token) { start_agent_container(m_engine, m_helper, token); }},
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
  std::vector<core::Variable> own;
  if (service.job_index >= 0) {
    own = m_input.job.services.at(static_cast<std::size_t>(service.job_index)).variables;
  }
  const Environment environment = to_environment(
      gitlab::service_environment(m_input.container_environment, m_input.expanded, own));
  StartedService& started = m_services[index];
  started.image = service.container.image;
  started.ports =
      sandbox::readiness_ports(started.image, environment, tcp_ports(image.exposed_ports));
  try {
    started.id = m_engine.create_container(
        service_name(m_spec, index),
        service_body(m_spec, index, m_placement, m_options.settings, image.id, environment),
        service.container.platform, stop);
    m_engine.start_container(started.id, stop);
  } catch (const EngineError& error) {
    // 400: its entrypoint, command or user do not fit its image.
    if (error.status() != 400) throw;
    throw support::JobError(
        fmt::format("service '{}' could not be started: {}", started.image, error.engine_text()));
  }
}

void Preparation::await_services_ready() {
  if (m_services.empty() || m_spec.wait_for_services_timeout.count() < 0) return;
  const auto transport = make_transport(m_engine, m_helper);
  const auto connect = [&] {
    return await_agent(m_engine, m_helper, *transport, k_hello_limit, m_console, m_stop);
  };
  await_services(m_engine, connect, network_name(m_spec), m_services,
                 m_spec.wait_for_services_timeout, m_console, m_stop);
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
  if (!m_spec.services.empty()) set(k_value_network_id, m_placement.network_id);
  return sandbox;
}

}  // namespace berth::docker
