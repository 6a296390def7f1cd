#include "executor/docker/daemons.hpp"

#include "executor/docker/engine/tar.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::docker {
namespace {

constexpr std::size_t k_resolv_conf_limit = std::size_t{64} << 10;

dind::ServiceFacts facts_of(const KnownService& service) {
  const core::ContainerSpec& container = service.spec->container;
  return {.image = container.image,
          .entrypoint = container.entrypoint.value_or(dind::Words{}),
          .command = container.command.value_or(dind::Words{}),
          .environment = service.environment,
          .config = dind::ImageConfig{.entrypoint = service.image->entrypoint,
                                      .command = service.image->cmd,
                                      .environment = service.image->env,
                                      .exposed_ports = service.image->exposed_ports}};
}

void require_privileges(const core::ServiceSpec& service) {
  const std::string& key = service.unprivileged_by;
  if (service.container.privileged || key.empty()) return;
  const bool both = key == "privileged";
  const std::string message = fmt::format(
      "service '{}' is a Docker daemon and needs privileges, which {} of berth.yaml {} give it",
      service.container.image,
      both ? "docker.privileged and docker.services_privileged" : "docker." + key,
      both ? "do not" : "does not");
  const std::string hint =
      "the runner's operator allows it by `services_privileged: true`; "
      "`allowed_privileged_services` says for which images";
  if (service.job_index < 0) throw support::OperatorError(message, hint);
  throw support::JobError(message, hint);
}

bool runs_as_root(const std::string& user) {
  return user.empty() || user == "root" || user == "0" || user.starts_with("0:") ||
         user.starts_with("root:");
}

bool declares(const ImageInfo& image, const std::string& volume) {
  return std::find(image.volumes.begin(), image.volumes.end(), volume) != image.volumes.end();
}

bool is_mounted(const core::JobSpec& spec, const std::string& path) {
  return std::any_of(spec.binds.begin(), spec.binds.end(),
                     [&](const core::BindSpec& bind) { return bind.destination == path; }) ||
         std::any_of(spec.volumes.begin(), spec.volumes.end(),
                     [&](const core::VolumeSpec& volume) { return volume.destination == path; });
}

}  // namespace

Daemons::Daemons(const core::JobSpec& spec, const std::vector<KnownService>& services,
                 const core::Variables& expanded, const dind::NetworkNeeds& network)
    : m_services(services.size()) {
  if (!spec.docker_in_docker) return;
  std::vector<dind::ServiceFacts> facts;
  for (const KnownService& service : services) facts.push_back(facts_of(service));
  m_found = dind::find_daemons(spec.services, facts, expanded, network);
  for (std::size_t i = 0; i < services.size(); ++i) {
    const dind::JobDaemon* daemon = m_found.find(i);
    if (daemon == nullptr) continue;
    require_privileges(*services[i].spec);
    give_extras(spec, *services[i].image, *daemon, m_services[i]);
  }
  if (!m_found.warning.empty()) m_warnings.push_back(m_found.warning);
  if (!m_found.any() || !mounts_engine_socket(spec)) return;
  m_found.client.clear();
  if (!expanded.get("DOCKER_HOST").empty()) return;
  const auto first = std::find_if(m_found.services.begin(), m_found.services.end(),
                                  [](const auto& one) { return one.has_value(); });
  m_warnings.push_back(fmt::format(
      "the runner's settings give jobs the engine's own socket: DOCKER_HOST is not set to "
      "service '{}'",
      spec.services[static_cast<std::size_t>(first - m_found.services.begin())].container.image));
}

void Daemons::give_extras(const core::JobSpec& spec, const ImageInfo& image,
                          const dind::JobDaemon& daemon, Service& service) {
  ServiceExtras& extras = service.extras;
  extras.command = daemon.plan.command;
  extras.without_engine_socket = true;
  if (!daemon.further_alias.empty()) extras.aliases.push_back(daemon.further_alias);
  if (daemon.plan.mode == dind::Mode::tls) {
    extras.mounts.push_back(
        {.volume = server_certificates_volume(spec), .target = daemon.plan.cert_dir + "/server"});
    ExtraMount client{.volume = client_certificates_volume(spec),
                      .target = daemon.plan.cert_dir + "/client"};
    extras.mounts.push_back(client);
    client.read_only = true;
    const bool known =
        std::any_of(m_build_mounts.begin(), m_build_mounts.end(),
                    [&](const ExtraMount& mount) { return mount.target == client.target; });
    if (!known) m_build_mounts.push_back(std::move(client));
  }
  if (is_mounted(spec, daemon.data_root)) return;
  service.data_root = daemon.data_root;
  if (runs_as_root(image.user) && !declares(image, daemon.data_root))
    extras.mounts.push_back({.volume = {}, .target = daemon.data_root});
}

bool Daemons::starts(std::size_t service) const {
  return service != m_found.left_out;
}

const dind::Daemon* Daemons::find(std::size_t service) const {
  const dind::JobDaemon* daemon = m_found.find(service);
  return daemon == nullptr ? nullptr : &daemon->plan;
}

bool Daemons::any() const {
  return m_found.any();
}

void Daemons::complete(std::size_t service, Environment& environment) const {
  const dind::Daemon* daemon = find(service);
  if (daemon == nullptr) return;
  for (const auto& [key, value] : daemon->environment) set_in(environment, key, value);
}

void Daemons::complete_build(Environment& environment) const {
  for (const auto& [key, value] : m_found.client) set_in(environment, key, value);
}

void Daemons::keep_layers(const std::string& volume) {
  for (std::size_t i = 0; i < m_services.size(); ++i) {
    if (find(i) == nullptr) continue;
    if (!m_services[i].data_root.empty()) keep_layers_of(m_services[i], volume);
    return;
  }
}

void Daemons::keep_layers_of(Service& daemon, const std::string& volume) {
  std::vector<ExtraMount>& mounts = daemon.extras.mounts;
  const auto anonymous = std::find_if(mounts.begin(), mounts.end(),
                                      [](const ExtraMount& mount) { return mount.volume.empty(); });
  if (anonymous != mounts.end()) {
    anonymous->volume = volume;
    anonymous->kept = true;
  } else {
    mounts.push_back({.volume = volume, .target = daemon.data_root, .kept = true});
  }
}

std::string certificate_archive(const dind::Certificates& certificates, std::string_view cert_dir,
                                bool readable) {
  TarWriter tar;
  const std::string prefix(cert_dir.substr(cert_dir.find_first_not_of('/')));
  for (const dind::CertificateFile& file : dind::certificate_files(certificates)) {
    // The job's user may be anybody; of the server's key only the daemon knows.
    const bool secret = file.is_key && file.path.starts_with("server/") && !readable;
    tar.add({.name = prefix + "/" + file.path,
             .content = std::string(file.content.expose()),
             .mode = secret ? 0600U : 0644U});
  }
  return tar.finish();
}

std::string server_certificates_volume(const core::JobSpec& spec) {
  return spec.resource_name + "-dind-server";
}
std::string client_certificates_volume(const core::JobSpec& spec) {
  return spec.resource_name + "-dind-client";
}

std::vector<std::string> name_servers_of(std::string_view resolv_conf) {
  constexpr std::string_view k_key = "nameserver";
  std::vector<std::string> servers;
  for (std::size_t at = 0; at < resolv_conf.size();) {
    const std::size_t end = std::min(resolv_conf.find('\n', at), resolv_conf.size());
    std::string_view line = resolv_conf.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(k_key) || line.size() == k_key.size()) continue;
    line.remove_prefix(k_key.size());
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == 0 || start == std::string_view::npos) continue;
    line = line.substr(start, line.find_first_of(" \t#;\r", start) - start);
    // Loopback addresses, and those of one link, mean something else elsewhere.
    if (line.starts_with("127.") || line == "::1" || line.find('%') != std::string_view::npos) {
      continue;
    }
    servers.emplace_back(line);
  }
  return servers;
}

std::vector<std::string> reachable_name_servers() {
  // systemd-resolved's own file has what its stub asks.
  for (const char* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
    try {
      const auto text = support::read_file_if_exists(path, k_resolv_conf_limit);
      if (!text) continue;
      if (auto servers = name_servers_of(*text); !servers.empty()) return servers;
    } catch (const support::Error&) {  // then nothing is known
    }
  }
  return {};
}

}  // namespace berth::docker
