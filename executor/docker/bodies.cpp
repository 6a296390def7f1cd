#include "executor/docker/bodies.hpp"

#include "executor/docker/names.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::docker {
namespace {

using nlohmann::json;

/// The agent needs a socket and nothing else there.
constexpr int k_run_tmpfs_bytes = 1 << 20;

json volume_mount(const std::string& name, std::string_view target, bool read_only,
                  const Labels& labels) {
  json options = {{"NoCopy", true}};
  // The engine makes a missing volume while it creates the container; the
  // labels reach it only from here.
  if (!labels.empty()) options["Labels"] = labels;
  return {{"Type", "volume"},
          {"Source", name},
          {"Target", target},
          {"ReadOnly", read_only},
          {"VolumeOptions", std::move(options)}};
}

json bind_mount(const std::filesystem::path& source, std::string_view target) {
  return {{"Type", "bind"}, {"Source", source.string()}, {"Target", target}};
}

/// The job's directories: the same ones in every container of the job.
json job_mounts(const core::JobSpec& spec, const Placement& placement) {
  json mounts = json::array();
  for (std::size_t i = 0; i < spec.volumes.size(); ++i) {
    const core::VolumeSpec& volume = spec.volumes[i];
    mounts.push_back(volume_mount(placement.volumes.at(i), volume.destination, false,
                                  volume.per_job ? attempt_labels(spec, placement.host, "volume")
                                                 : lasting_labels(spec, "cache")));
  }
  return mounts;
}

/// What the agent needs, beside the job's directories.
json agent_mounts(const core::JobSpec& spec, const Placement& placement, std::string_view role) {
  json mounts = job_mounts(spec, placement);
  mounts.push_back(volume_mount(placement.agent_volume, k_agent_directory, true, {}));
  if (placement.host_directory) {
    mounts.push_back(bind_mount(*placement.host_directory / role, k_run_directory));
    mounts.push_back(bind_mount(*placement.host_directory / "lease", k_lease_directory));
  } else {
    mounts.push_back({{"Type", "tmpfs"},
                      {"Target", k_run_directory},
                      {"TmpfsOptions", {{"SizeBytes", k_run_tmpfs_bytes}, {"Mode", 0777}}}});
    mounts.push_back(volume_mount(lease_volume_name(spec), k_lease_directory, false,
                                  attempt_labels(spec, placement.host, "volume")));
  }
  return mounts;
}

/// Options of the agent. The helper's runs as root: it opens fresh volumes for
/// whatever user the build image has.
std::string agent_options(const core::JobSpec& spec, const Placement& placement, bool opens) {
  std::string text =
      fmt::format("BERTH_AGENT=run={};lease={};deadline={};orphan={}", k_run_directory,
                  k_lease_directory, spec.deadline, spec.orphan_timeout.count());
  if (!opens) return text;
  std::string open;
  for (const core::VolumeSpec& volume : spec.volumes) {
    open += (open.empty() ? "" : ":") + volume.destination;
  }
  if (!placement.host_directory) open += (open.empty() ? "" : ":") + std::string(k_lease_directory);
  return open.empty() ? text : text + ";open=" + open;
}

json binds(const core::JobSpec& spec) {
  json list = json::array();
  for (const core::BindSpec& bind : spec.binds) {
    list.push_back(bind.source + ":" + bind.destination +
                   (bind.mode.empty() ? "" : ":" + bind.mode));
  }
  return list;
}

void set_if(json& object, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) object[key] = values;
}

void set_if(json& object, const char* key, std::int64_t value) {
  if (value > 0) object[key] = value;
}

/// HostConfig of helper and build.
json host_config(const core::JobSpec& spec, const settings::Docker& options, bool privileged,
                 json mounts) {
  json host = {{"Mounts", std::move(mounts)}, {"Privileged", privileged}};
  if (!spec.binds.empty()) host["Binds"] = binds(spec);
  set_if(host, "Memory", options.memory_bytes);
  set_if(host, "NanoCpus", options.nano_cpus);
  set_if(host, "ShmSize", options.shm_size_bytes);
  set_if(host, "CapAdd", options.cap_add);
  set_if(host, "CapDrop", options.cap_drop);
  set_if(host, "SecurityOpt", options.security_opt);
  return host;
}

json agent_container(const core::JobSpec& spec, const Placement& placement,
                     const core::ContainerSpec& container, const std::string& image_id,
                     std::string_view type, json host) {
  json body = {{"Image", image_id},
               {"Cmd", {k_agent_program, "serve"}},
               {"Labels", attempt_labels(spec, placement.host, type)},
               {"Healthcheck", {{"Test", {"NONE"}}}},
               {"HostConfig", std::move(host)}};
  if (container.entrypoint && !container.entrypoint->empty()) {
    body["Entrypoint"] = *container.entrypoint;
  }
  return body;
}

/// On a network the engine keeps an endpoint's settings under the network's ID.
void join(json& body, const std::string& network_id, const std::vector<std::string>& aliases) {
  body["HostConfig"]["NetworkMode"] = network_id;
  json endpoint = json::object();
  if (!aliases.empty()) endpoint["Aliases"] = aliases;
  body["NetworkingConfig"] = {{"EndpointsConfig", {{network_id, std::move(endpoint)}}}};
}

json network(std::string name, Labels labels, int mtu) {
  json body = {{"Name", std::move(name)},
               {"Driver", "bridge"},
               {"CheckDuplicate", true},
               {"Labels", std::move(labels)}};
  if (mtu > 0) body["Options"]["com.docker.network.driver.mtu"] = std::to_string(mtu);
  return body;
}

}  // namespace

Environment to_environment(const core::Variables& variables) {
  // The last definition of a key counts, and keeps the key's first place.
  Environment pairs;
  std::vector<std::string_view> keys;
  for (const core::Variable& variable : variables.all()) {
    std::string pair = variable.key + "=" + variable.value;
    const auto known = std::find(keys.begin(), keys.end(), variable.key);
    if (known == keys.end()) {
      keys.push_back(variable.key);
      pairs.push_back(std::move(pair));
    } else {
      pairs[static_cast<std::size_t>(known - keys.begin())] = std::move(pair);
    }
  }
  return pairs;
}

json helper_body(const core::JobSpec& spec, const Placement& placement,
                 const settings::Docker& options, const std::string& image_id) {
  json host =
      host_config(spec, options, spec.helper.privileged, agent_mounts(spec, placement, "helper"));
  set_if(host, "Dns", options.dns);
  set_if(host, "ExtraHosts", options.extra_hosts);
  json body = agent_container(spec, placement, spec.helper, image_id, "helper", std::move(host));
  body["User"] = "0:0";
  body["Env"] = {agent_options(spec, placement, true)};
  if (!spec.hostname.empty()) body["Hostname"] = spec.hostname;
  // "build" is what the built-in executor calls the job on its own network.
  join(body, placement.network_id,
       spec.services.empty() ? std::vector<std::string>{} : std::vector<std::string>{"build"});
  return body;
}

json build_body(const core::JobSpec& spec, const Placement& placement,
                const settings::Docker& options, const std::string& image_id,
                const Environment& environment, const std::string& helper_id) {
  json host =
      host_config(spec, options, spec.build.privileged, agent_mounts(spec, placement, "build"));
  host["NetworkMode"] = "container:" + helper_id;
  json body = agent_container(spec, placement, spec.build, image_id, "build", std::move(host));
  if (!spec.build.user.empty()) body["User"] = spec.build.user;
  Environment all = environment;
  // Of two definitions the agent would see the first, which is the job's.
  std::erase_if(all, [](const std::string& pair) { return pair.starts_with("BERTH_AGENT="); });
  all.push_back(agent_options(spec, placement, false));
  body["Env"] = std::move(all);
  return body;
}

json service_body(const core::JobSpec& spec, std::size_t index, const Placement& placement,
                  const settings::Docker& options, const std::string& image_id,
                  const Environment& environment) {
  const core::ServiceSpec& service = spec.services.at(index);
  json host = {{"Mounts", job_mounts(spec, placement)},
               {"Privileged", service.container.privileged}};
  if (!spec.binds.empty()) host["Binds"] = binds(spec);
  set_if(host, "ShmSize", options.shm_size_bytes);
  set_if(host, "Dns", options.dns);
  set_if(host, "ExtraHosts", options.extra_hosts);

  Labels labels = attempt_labels(spec, placement.host, "service");
  labels[std::string(k_label_service)] = service.container.image;
  json body = {{"Image", image_id},
               {"Env", environment},
               {"Labels", std::move(labels)},
               {"HostConfig", std::move(host)}};
  if (service.container.entrypoint && !service.container.entrypoint->empty()) {
    body["Entrypoint"] = *service.container.entrypoint;
  }
  if (service.container.command && !service.container.command->empty()) {
    body["Cmd"] = *service.container.command;
  }
  if (!service.container.user.empty()) body["User"] = service.container.user;
  join(body, placement.network_id, service.aliases);
  return body;
}

json job_network_body(const core::JobSpec& spec, const std::string& host, int mtu) {
  return network(network_name(spec), attempt_labels(spec, host, "network"), mtu);
}

json shared_network_body(const core::JobSpec& spec, int mtu) {
  json body = network(shared_network_name(mtu), lasting_labels(spec, "network"), mtu);
  body["Options"]["com.docker.network.bridge.enable_icc"] = "false";
  return body;
}

}  // namespace berth::docker
