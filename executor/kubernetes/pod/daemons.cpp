#include "executor/kubernetes/pod/daemons.hpp"

#include "executor/gitlab/container_environment.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

constexpr std::string_view k_server_volume = "berth-dind-server";
constexpr std::string_view k_client_volume = "berth-dind-client";
/// Its containers alone mount it; the daemon may run as any user.
constexpr int k_certificate_mode = 0444;

/// A pod's interface may take less than the daemon's own networks would send: what
/// that is only the container can see. Arguments follow `$0`.
constexpr const char* k_start =
    "mtu=$(cat /sys/class/net/eth0/mtu 2>/dev/null) && [ \"$mtu\" -lt 1500 ] && "
    "set -- \"--mtu=$mtu\" \"$@\"; exec dockerd-entrypoint.sh \"$@\"";

dind::ServiceFacts facts_of(const core::ServiceSpec& service, const core::Job& job,
                            const core::Variables& expanded,
                            const core::Variables& container_environment) {
  std::vector<core::Variable> own;
  if (service.job_index >= 0) {
    own = job.services.at(static_cast<std::size_t>(service.job_index)).variables;
  }
  dind::ServiceFacts facts{.image = service.container.image,
                           .entrypoint = service.container.entrypoint.value_or(dind::Words{}),
                           .command = service.container.command.value_or(dind::Words{})};
  const core::Variables all = gitlab::service_environment(container_environment, expanded, own);
  for (const core::Variable& variable : all.all()) {
    facts.environment.push_back(variable.key + "=" + variable.value);
  }
  return facts;
}

bool has_word(const dind::Words& words) {
  return std::any_of(words.begin(), words.end(), [](const auto& word) { return !word.empty(); });
}

/// Whether the container can be started through a shell that looks at its interface.
bool takes_mtu(const dind::ServiceFacts& facts) {
  const auto& command = facts.command;
  const bool arguments = std::all_of(command.begin(), command.end(), [](std::string_view word) {
    return !word.starts_with("--mtu");
  });
  return dind::is_official_name(facts.image) && !has_word(facts.entrypoint) &&
         facts.entrypoint.empty() && arguments &&
         (command.empty() || command.front().starts_with('-'));
}

std::string data_volume(std::size_t service) {
  return fmt::format("berth-dind-data-{}", service);
}

/// "server/key.pem" to "dind.server.key.pem"
std::string key_of(const std::string& path) {
  std::string key = "dind." + path;
  std::replace(key.begin(), key.end(), '/', '.');
  return key;
}

json certificate_volume(const core::JobSpec& spec, std::string_view name,
                        const std::string& folder) {
  json items = json::array();
  for (const char* file : {"ca.pem", "cert.pem", "key.pem"}) {
    items.push_back({{"key", key_of(folder + "/" + file)}, {"path", file}});
  }
  return {{"name", name},
          {"secret",
           {{"secretName", secret_name(spec)},
            {"defaultMode", k_certificate_mode},
            {"items", std::move(items)}}}};
}

json mount(std::string_view name, const std::string& path, bool read_only) {
  json body = {{"name", name}, {"mountPath", path}};
  if (read_only) body["readOnly"] = true;
  return body;
}

bool is_mounted(const json& mounts, const std::string& path) {
  return std::any_of(mounts.begin(), mounts.end(),
                     [&](const json& one) { return one.at("mountPath") == path; });
}

/// In place of what is mounted there.
void put(json& mounts, json added) {
  json kept = json::array();
  for (json& one : mounts) {
    if (one.at("mountPath") != added.at("mountPath")) kept.push_back(std::move(one));
  }
  kept.push_back(std::move(added));
  mounts = std::move(kept);
}

}  // namespace

PlannedDaemons plan_daemons(const core::JobSpec& spec, const core::Job& job,
                            const core::Variables& expanded,
                            const core::Variables& container_environment) {
  PlannedDaemons planned{.spec = spec, .daemons = {}};
  if (!spec.docker_in_docker) return planned;
  std::vector<dind::ServiceFacts> facts;
  for (const core::ServiceSpec& service : spec.services) {
    facts.push_back(facts_of(service, job, expanded, container_environment));
  }
  dind::JobDaemons& found = planned.daemons.found;
  found = dind::find_daemons(spec.services, facts, expanded, {});
  auto& services = planned.spec.services;
  bool wants_tls = false;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const dind::JobDaemon* daemon = found.find(i);
    if (daemon == nullptr) continue;
    core::ServiceSpec& service = services[i];
    if (!daemon->plan.command.empty()) service.container.command = daemon->plan.command;
    if (takes_mtu(facts[i])) {
      service.container.entrypoint = {"sh", "-c", k_start, "dockerd-entrypoint.sh"};
    }
    if (!daemon->further_alias.empty()) service.aliases.push_back(daemon->further_alias);
    wants_tls = wants_tls || daemon->plan.mode == dind::Mode::tls;
  }
  if (found.left_out) {
    const auto index = static_cast<std::ptrdiff_t>(*found.left_out);
    services.erase(services.begin() + index);
    found.services.erase(found.services.begin() + index);
  }
  if (wants_tls) {
    planned.daemons.certificates = dind::make_certificates(dind::certificate_names(services));
  }
  return planned;
}

json certificate_data(const dind::Certificates& certificates) {
  json data = json::object();
  for (const dind::CertificateFile& file : dind::certificate_files(certificates)) {
    data[key_of(file.path)] = support::base64_encode(file.content.expose());
  }
  return data;
}

json daemon_volumes(const core::JobSpec& spec, const PodDaemons& daemons) {
  json volumes = json::array();
  if (daemons.certificates) {
    volumes.push_back(certificate_volume(spec, k_server_volume, "server"));
    volumes.push_back(certificate_volume(spec, k_client_volume, "client"));
  }
  for (std::size_t i = 0; i < daemons.found.services.size(); ++i) {
    if (daemons.found.find(i) == nullptr) continue;
    volumes.push_back({{"name", data_volume(i)}, {"emptyDir", json::object()}});
  }
  return volumes;
}

void add_daemon_mounts(json& mounts, const PodDaemons& daemons, std::size_t service) {
  const dind::JobDaemon* daemon = daemons.found.find(service);
  if (daemon == nullptr) return;
  if (!is_mounted(mounts, daemon->data_root)) {
    mounts.push_back(mount(data_volume(service), daemon->data_root, false));
  }
  if (daemon->plan.mode != dind::Mode::tls) return;
  put(mounts, mount(k_server_volume, daemon->plan.cert_dir + "/server", true));
  put(mounts, mount(k_client_volume, daemon->plan.cert_dir + "/client", true));
}

void add_client_mounts(json& mounts, const PodDaemons& daemons) {
  for (std::size_t i = 0; i < daemons.found.services.size(); ++i) {
    const dind::JobDaemon* daemon = daemons.found.find(i);
    if (daemon == nullptr || daemon->plan.mode != dind::Mode::tls) continue;
    put(mounts, mount(k_client_volume, daemon->plan.cert_dir + "/client", true));
  }
}

void require_privileges(const core::JobSpec& spec, const PodDaemons& daemons,
                        const json& pod_spec) {
  if (pod_spec.contains("runtimeClassName")) return;
  const std::vector<std::string> names = service_container_names(spec);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (daemons.found.find(i) == nullptr) continue;
    const core::ServiceSpec& service = spec.services[i];
    for (const json& container : pod_spec.at("containers")) {
      if (container.value("name", "") != names[i]) continue;
      if (container.value("/securityContext/privileged"_json_pointer, false)) continue;
      const std::string message = fmt::format(
          "service '{}' is a Docker daemon and needs privileges, which kubernetes.privileged of "
          "berth.yaml does not give it",
          service.container.image);
      const std::string hint =
          "the runner's operator allows it by `privileged: true`, for services alone in "
          "`service_container_security_context`";
      if (service.job_index < 0) throw support::OperatorError(message, hint);
      throw support::JobError(message, hint);
    }
  }
}

}  // namespace berth::kubernetes
