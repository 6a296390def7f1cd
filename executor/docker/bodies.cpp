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
/// Credentials, and what tools keep beside them.
constexpr int k_memory_bytes = 64 << 20;
/// As /tmp: whoever the job's user is may write, and nobody touches another's files.
constexpr int k_memory_mode = 01777;

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

json memory_mount(const std::string& target, int bytes, int mode) {
  return {{"Type", "tmpfs"},
          {"Target", target},
          {"TmpfsOptions", {{"SizeBytes", bytes}, {"Mode", mode}}}};
}

json bind_mount(const std::filesystem::path& source, std::string_view target) {
  return {{"Type", "bind"}, {"Source", source.string()}, {"Target", target}};
}

bool is_target(const std::vector<ExtraMount>& extra, std::string_view path) {
  return std::any_of(extra.begin(), extra.end(),
                     [&](const ExtraMount& mount) { return mount.target == path; });
}

bool is_engine_socket(std::string_view path) {
  return path == "/var/run/docker.sock" || path == "/run/docker.sock";
}

json extra_mount(const core::JobSpec& spec, const Placement& placement, const ExtraMount& mount) {
  json body = volume_mount(
      mount.volume, mount.target, mount.read_only,
      mount.kept ? lasting_labels(spec, "cache") : attempt_labels(spec, placement.host, "volume"));
  if (mount.volume.empty()) body.erase("Source");
  return body;
}

/// The job's directories: the same ones in every container of the job.
json job_mounts(const core::JobSpec& spec, const Placement& placement,
                const std::vector<ExtraMount>& extra) {
  json mounts = json::array();
  for (const ExtraMount& mount : extra) mounts.push_back(extra_mount(spec, placement, mount));
  for (std::size_t i = 0; i < spec.volumes.size(); ++i) {
    const core::VolumeSpec& volume = spec.volumes[i];
    if (is_target(extra, volume.destination)) continue;
    mounts.push_back(volume_mount(placement.volumes.at(i), volume.destination, false,
                                  volume.per_job ? attempt_labels(spec, placement.host, "volume")
                                                 : lasting_labels(spec, "cache")));
  }
  return mounts;
}

/// What the agent needs, beside the job's directories.
json agent_mounts(const core::JobSpec& spec, const Placement& placement, std::string_view role,
                  const std::vector<ExtraMount>& extra = {}) {
  json mounts = job_mounts(spec, placement, extra);
  mounts.push_back(volume_mount(placement.agent_volume, k_agent_directory, true, {}));
  if (placement.host_directory) {
    mounts.push_back(bind_mount(*placement.host_directory / role, k_run_directory));
    mounts.push_back(bind_mount(*placement.host_directory / "lease", k_lease_directory));
  } else {
    mounts.push_back(memory_mount(std::string(k_run_directory), k_run_tmpfs_bytes, 0777));
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

json binds(const core::JobSpec& spec, const std::vector<ExtraMount>& extra,
           bool without_engine_socket = false) {
  json list = json::array();
  for (const core::BindSpec& bind : spec.binds) {
    if (is_target(extra, bind.destination)) continue;
    const bool socket = is_engine_socket(bind.destination) || is_engine_socket(bind.source);
    if (without_engine_socket && socket) continue;
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
                 json mounts, const std::vector<ExtraMount>& extra = {}) {
  json host = {{"Mounts", std::move(mounts)}, {"Privileged", privileged}};
  if (json list = binds(spec, extra); !list.empty()) host["Binds"] = std::move(list);
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

void set_in(Environment& environment, std::string_view key, std::string_view value) {
  std::string pair = fmt::format("{}={}", key, value);
  const auto known = std::find_if(environment.rbegin(), environment.rend(), [&](const auto& one) {
    return one.size() > key.size() && one.starts_with(key) && one[key.size()] == '=';
  });
  if (known == environment.rend()) {
    environment.push_back(std::move(pair));
  } else {
    *known = std::move(pair);
  }
}

bool mounts_engine_socket(const core::JobSpec& spec) {
  return std::any_of(spec.binds.begin(), spec.binds.end(),
                     [](const core::BindSpec& bind) { return is_engine_socket(bind.destination); });
}

json helper_body(const core::JobSpec& spec, const Placement& placement,
                 const settings::Docker& options, const std::string& image_id) {
  json host =
      host_config(spec, options, spec.helper.privileged, agent_mounts(spec, placement, "helper"));
  set_if(host, "Dns", options.dns);
  std::vector<std::string> hosts = options.extra_hosts;
  for (const std::string& name : placement.local_names) hosts.push_back(name + ":127.0.0.1");
  set_if(host, "ExtraHosts", hosts);
  json body = agent_container(spec, placement, spec.helper, image_id, "helper", std::move(host));
  body["User"] = "0:0";
  body["Env"] = {agent_options(spec, placement, true)};
  if (!spec.hostname.empty()) body["Hostname"] = spec.hostname;
  // "build" is what the built-in executor calls the job on its own network.
  const bool own_network = !spec.services.empty() && placement.local_names.empty();
  join(body, placement.network_id,
       own_network ? std::vector<std::string>{"build"} : std::vector<std::string>{});
  return body;
}

json build_body(const core::JobSpec& spec, const Placement& placement,
                const settings::Docker& options, const std::string& image_id,
                const Environment& environment, const std::string& helper_id,
                const std::vector<ExtraMount>& extra) {
  json mounts = agent_mounts(spec, placement, "build", extra);
  for (const std::string& directory : placement.memory)
    mounts.push_back(memory_mount(directory, k_memory_bytes, k_memory_mode));
  json host = host_config(spec, options, spec.build.privileged, std::move(mounts), extra);
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
                  const Environment& environment, const ServiceExtras& extras) {
  const core::ServiceSpec& service = spec.services.at(index);
  const bool shared = !placement.namespace_of.empty();
  json host = {{"Mounts", job_mounts(spec, placement, extras.mounts)},
               {"Privileged", service.container.privileged}};
  if (json list = binds(spec, extras.mounts, extras.without_engine_socket); !list.empty()) {
    host["Binds"] = std::move(list);
  }
  set_if(host, "ShmSize", options.shm_size_bytes);
  if (!shared) {
    set_if(host, "Dns", options.dns);
    set_if(host, "ExtraHosts", options.extra_hosts);
  }

  Labels labels = attempt_labels(spec, placement.host, "service");
  labels[std::string(k_label_service)] = service.container.image;
  for (const ExtraMount& mount : extras.mounts) {
    if (mount.kept) labels[std::string(k_label_layers)] = mount.volume;
  }
  json body = {{"Image", image_id},
               {"Env", environment},
               {"Labels", std::move(labels)},
               {"HostConfig", std::move(host)}};
  if (service.container.entrypoint && !service.container.entrypoint->empty()) {
    body["Entrypoint"] = *service.container.entrypoint;
  }
  if (!extras.command.empty()) {
    body["Cmd"] = extras.command;
  } else if (service.container.command && !service.container.command->empty()) {
    body["Cmd"] = *service.container.command;
  }
  if (!service.container.user.empty()) body["User"] = service.container.user;
  if (shared) {
    body["HostConfig"]["NetworkMode"] = "container:" + placement.namespace_of;
    return body;
  }
  std::vector<std::string> aliases = service.aliases;
  aliases.insert(aliases.end(), extras.aliases.begin(), extras.aliases.end());
  join(body, placement.network_id, aliases);
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
