#include "executor/kubernetes/pod/volumes.hpp"

#include "executor/core/volume.hpp"
#include "executor/kubernetes/pod/agent_config_map.hpp"
#include "executor/kubernetes/pod/environment.hpp"
#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace berth::kubernetes {
namespace {

using nlohmann::json;
using Kind = settings::KubernetesVolume::Kind;

/// The built-in executor's name for it, by which operators' patches reach it.
constexpr std::string_view k_builds_volume = "repo";
constexpr std::string_view k_cache_volume = "berth-cache";
constexpr std::string_view k_agent_volume = "berth-agent";
/// Readable and executable for all, writable for nobody.
constexpr int k_agent_mode = 0555;
/// The agent needs a socket and nothing else there.
constexpr const char* k_run_size = "1Mi";
/// Credentials, and what tools keep beside them.
constexpr const char* k_memory_size = "64Mi";

std::string run_volume(std::string_view container) {
  return fmt::format("berth-run-{}", container);
}

std::string memory_volume(std::size_t index) {
  return fmt::format("berth-memory-{}", index);
}

/// A volume of the settings with its variables replaced.
struct Mounted {
  const settings::KubernetesVolume& settings;
  /// Of the object it is: a PVC's may hold variables.
  std::string object;
  std::string name;
  std::string path;
  std::string sub_path;
};

Mounted expand(const settings::KubernetesVolume& volume, const core::Variables& variables) {
  Mounted mounted{.settings = volume,
                  .object = volume.name,
                  .name = volume.name,
                  .path = core::clean_path(
                      expanded_setting(volume.mount_path, variables, "kubernetes.volumes")),
                  .sub_path = expanded_setting(volume.sub_path, variables, "kubernetes.volumes")};
  if (volume.kind == Kind::pvc) {
    mounted.object = mounted.name = expanded_setting(volume.name, variables, "kubernetes.volumes");
    if (!settings::is_dns_subdomain(mounted.object)) {
      throw support::JobError(
          fmt::format("kubernetes.volumes of berth.yaml: '{}' becomes '{}', which is no name of a "
                      "claim",
                      volume.name, mounted.object),
          "give the variables in it values of lower case letters, digits and dashes");
    }
  }
  const bool bad_path = !mounted.path.starts_with('/') || mounted.path == "/" ||
                        (mounted.path + "/").find("/../") != std::string::npos ||
                        mounted.path.find(':') != std::string::npos;
  const bool bad_sub_path = mounted.sub_path.starts_with('/') ||
                            ("/" + mounted.sub_path + "/").find("/../") != std::string::npos;
  if (bad_path || bad_sub_path) {
    throw support::JobError(
        fmt::format("kubernetes.volumes of berth.yaml: '{}' of volume '{}' becomes '{}', which is "
                    "no path to mount at",
                    bad_path ? volume.mount_path : volume.sub_path, volume.name,
                    bad_path ? mounted.path : mounted.sub_path),
        "look at the values of the variables in it");
  }
  // An object's name may have dots, a volume's may not.
  std::replace(mounted.name.begin(), mounted.name.end(), '.', '-');
  if (mounted.name.size() > 63) mounted.name.resize(63);
  while (mounted.name.ends_with('-')) mounted.name.pop_back();
  return mounted;
}

std::vector<Mounted> settings_volumes(const PodInputs& inputs) {
  std::vector<Mounted> all;
  std::map<std::string, std::string> objects;
  for (const settings::KubernetesVolume& volume : inputs.settings.volumes) {
    const Mounted& one = all.emplace_back(expand(volume, inputs.expanded));
    const bool ours = one.name.starts_with("berth-run-") || one.name.starts_with("berth-memory-") ||
                      one.name == k_agent_volume || one.name == k_lease_volume ||
                      one.name == k_cache_volume || one.name == "berth-builds";
    if (ours || objects.emplace(one.name, one.object).first->second != one.object) {
      throw support::OperatorError(
          fmt::format("kubernetes.volumes of berth.yaml: '{}' would be a second volume '{}' of the "
                      "pod",
                      one.object, one.name),
          "give it another name");
    }
  }
  return all;
}

/// A volume of the settings may have the name, and be mounted elsewhere.
std::string_view builds_volume(const std::vector<Mounted>& volumes) {
  const bool taken = std::any_of(volumes.begin(), volumes.end(),
                                 [](const Mounted& one) { return one.name == k_builds_volume; });
  return taken ? "berth-builds" : k_builds_volume;
}

bool is_mounted(const std::vector<Mounted>& volumes, std::string_view path) {
  return std::any_of(volumes.begin(), volumes.end(),
                     [&](const Mounted& one) { return one.path == core::clean_path(path); });
}

json items(const std::map<std::string, std::string>& keys) {
  json list = json::array();
  for (const auto& [key, path] : keys) list.push_back({{"key", key}, {"path", path}});
  return list;
}

json source(const Mounted& volume) {
  const settings::KubernetesVolume& v = volume.settings;
  switch (v.kind) {
    case Kind::host_path:
      return {{"hostPath", {{"path", v.host_path}}}};
    case Kind::pvc:
      return {{"persistentVolumeClaim", {{"claimName", volume.object}}}};
    case Kind::config_map: {
      json body = {{"name", volume.object}};
      if (!v.items.empty()) body["items"] = items(v.items);
      return {{"configMap", std::move(body)}};
    }
    case Kind::secret: {
      json body = {{"secretName", volume.object}};
      if (!v.items.empty()) body["items"] = items(v.items);
      return {{"secret", std::move(body)}};
    }
    case Kind::empty_dir: {
      json body = json::object();
      if (!v.medium.empty()) body["medium"] = v.medium;
      if (!v.size_limit.empty()) body["sizeLimit"] = v.size_limit;
      return {{"emptyDir", std::move(body)}};
    }
    case Kind::csi: {
      json body = {{"driver", v.driver}};
      if (!v.fs_type.empty()) body["fsType"] = v.fs_type;
      if (v.read_only) body["readOnly"] = true;
      if (!v.volume_attributes.empty()) body["volumeAttributes"] = v.volume_attributes;
      return {{"csi", std::move(body)}};
    }
    case Kind::nfs: {
      json body = {{"server", v.server}, {"path", v.path}};
      if (v.read_only) body["readOnly"] = true;
      return {{"nfs", std::move(body)}};
    }
  }
  return {};
}

json named(std::string_view name, json volume) {
  volume["name"] = name;
  return volume;
}

json empty_dir(std::string_view name) {
  return {{"name", name}, {"emptyDir", json::object()}};
}

json mount(std::string_view name, std::string_view path) {
  return {{"name", name}, {"mountPath", path}};
}

json mount(const Mounted& volume) {
  json result = mount(volume.name, volume.path);
  if (!volume.sub_path.empty()) result["subPath"] = volume.sub_path;
  if (volume.settings.read_only) result["readOnly"] = true;
  if (!volume.settings.mount_propagation.empty()) {
    result["mountPropagation"] = volume.settings.mount_propagation;
  }
  return result;
}

}  // namespace

json pod_volumes(const core::JobSpec& spec, const PodInputs& inputs) {
  json volumes = json::array();
  const std::vector<Mounted> configured = settings_volumes(inputs);
  std::set<std::string> names;
  for (const Mounted& volume : configured) {
    if (names.insert(volume.name).second) {
      volumes.push_back(named(volume.name, source(volume)));
    }
  }
  if (!is_mounted(configured, spec.builds_dir)) {
    volumes.push_back(empty_dir(builds_volume(configured)));
  }
  if (!is_mounted(configured, spec.cache_dir)) volumes.push_back(empty_dir(k_cache_volume));

  if (inputs.settings.agent_image.empty()) {
    volumes.push_back(
        {{"name", k_agent_volume},
         {"configMap", {{"name", inputs.agent_config_map}, {"defaultMode", k_agent_mode}}}});
  } else {
    volumes.push_back(empty_dir(k_agent_volume));
  }
  for (const std::string_view container : {k_build_container, k_helper_container}) {
    volumes.push_back({{"name", run_volume(container)},
                       {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", k_run_size}}}});
  }
  volumes.push_back({{"name", k_lease_volume}, {"emptyDir", {{"sizeLimit", k_lease_limit}}}});
  for (std::size_t i = 0; i < inputs.memory.size(); ++i) {
    volumes.push_back({{"name", memory_volume(i)},
                       {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", k_memory_size}}}});
  }
  if (inputs.daemons != nullptr) {
    for (json& volume : daemon_volumes(spec, *inputs.daemons)) volumes.push_back(std::move(volume));
  }
  return volumes;
}

json job_mounts(const core::JobSpec& spec, const PodInputs& inputs) {
  json mounts = json::array();
  const std::vector<Mounted> configured = settings_volumes(inputs);
  for (const Mounted& volume : configured) mounts.push_back(mount(volume));
  if (!is_mounted(configured, spec.builds_dir)) {
    mounts.push_back(mount(builds_volume(configured), spec.builds_dir));
  }
  if (!is_mounted(configured, spec.cache_dir)) {
    mounts.push_back(mount(k_cache_volume, spec.cache_dir));
  }
  return mounts;
}

json agent_mounts(const core::JobSpec& spec, const PodInputs& inputs, std::string_view container) {
  json mounts = job_mounts(spec, inputs);
  mounts.push_back(mount(k_agent_volume, k_agent_directory));
  mounts.back()["readOnly"] = true;
  mounts.push_back(mount(run_volume(container), k_run_directory));
  mounts.push_back(mount(k_lease_volume, k_lease_directory));
  for (std::size_t i = 0; container == k_build_container && i < inputs.memory.size(); ++i) {
    mounts.push_back(mount(memory_volume(i), inputs.memory[i]));
  }
  return mounts;
}

std::string directories_to_open(const core::JobSpec& spec, const PodInputs& inputs) {
  // An emptyDir is open from the start.
  std::string all;
  for (const Mounted& volume : settings_volumes(inputs)) {
    const bool ours = volume.path == spec.builds_dir || volume.path == spec.cache_dir;
    if (ours && volume.settings.kind != Kind::empty_dir && !volume.settings.read_only) {
      all += (all.empty() ? "" : ":") + volume.path;
    }
  }
  return all;
}

}  // namespace berth::kubernetes
