#include "executor/settings/docker_section.hpp"

#include "executor/core/volume.hpp"
#include "executor/settings/shared_keys.hpp"
#include "executor/settings/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::settings {
namespace {

/// Keys of [runners.docker] that Berth does not follow (gitlab-runner,
/// common/config.go, DockerConfig). To ignore one would change what operators
/// rely on, so each is refused by name.
const std::vector<std::string_view>& refused_keys() {
  static const std::vector<std::string_view> keys{
      "allowed_users",
      "cgroup_parent",
      "container_labels",
      "cpu_shares",
      "cpuset_cpus",
      "cpuset_mems",
      "device_cgroup_rules",
      "devices",
      "disable_entrypoint_overwrite",
      "dns_search",
      "enable_ipv6",
      "gpus",
      "group_add",
      "helper_image_autoset_arch_and_os",
      "helper_image_flavor",
      "hostname",
      "ipcmode",
      "isolation",
      "links",
      "log_options",
      "mac_address",
      "memory_reservation",
      "memory_swap",
      "network_mode",
      "oom_kill_disable",
      "oom_score_adjust",
      "pid_mode",
      "runtime",
      "service_cgroup_parent",
      "service_cpu_shares",
      "service_cpus",
      "service_cpuset_cpus",
      "service_gpus",
      "service_memory",
      "service_memory_reservation",
      "service_memory_swap",
      "service_slot_cgroup_template",
      "services_devices",
      "services_limit",
      "services_security_opt",
      "services_tmpfs",
      "sysctls",
      "tmpfs",
      "ulimit",
      "userns_mode",
      "volume_driver",
      "volume_driver_ops",
      "volume_keep",
      "volumes_from",
  };
  return keys;
}

bool is_extra_host(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string address = text.substr(colon + 1);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  return address == "host-gateway" || is_address(address);
}

bool is_engine_host(const std::string& text) {
  if (text.starts_with("unix://")) return text.starts_with("unix:///") && text.size() > 8;
  return text.starts_with("tcp://") && text.size() > 6;
}

std::int64_t size(const Reader& reader, const Value& value, std::string_view key) {
  constexpr std::string_view k_expected = "bytes, or a size such as 512m or 2g";
  if (value.kind != Value::Kind::scalar) reader.wrong_type(value, key, k_expected);
  const std::optional<std::int64_t> bytes = parse_size(value.scalar);
  if (!bytes) reader.bad_value(value, key, k_expected);
  return *bytes;
}

std::int64_t cpus(const Reader& reader, const Value& value, std::string_view key) {
  constexpr std::string_view k_expected = "a number of CPUs such as 1.5";
  if (value.kind != Value::Kind::scalar) reader.wrong_type(value, key, k_expected);
  const std::optional<std::int64_t> nano = parse_cpus(value.scalar);
  if (!nano) reader.bad_value(value, key, k_expected);
  return *nano;
}

NetworkMode network_mode(const Reader& reader, const Value& value) {
  const std::string word = reader.text(value, "network");
  if (word == "aliases") return NetworkMode::aliases;
  if (word == "shared") return NetworkMode::shared;
  if (word != "auto") reader.bad_value(value, "network", "auto, aliases or shared");
  return NetworkMode::automatic;
}

std::string absolute_path(const Reader& reader, const Value& value, std::string_view key) {
  std::string path = reader.text(value, key);
  if (!path.starts_with('/')) reader.bad_value(value, key, "an absolute path");
  return path;
}

std::vector<std::string> volumes(const Reader& reader, const Value& value) {
  std::vector<std::string> all = reader.texts(
      value, "volumes",
      [](const std::string& text) { return core::parse_volume(text).has_value(); },
      "/path or source:/path[:mode]");
  std::vector<std::string> destinations;
  for (std::size_t i = 0; i < all.size(); ++i) {
    destinations.push_back(core::parse_volume(all[i])->destination);
    if (std::count(destinations.begin(), destinations.end(), destinations.back()) > 1) {
      reader.fail(value.items[i].position,
                  fmt::format("'volumes' mounts '{}' twice", destinations.back()));
    }
  }
  return all;
}

}  // namespace

void read_docker_section(const Reader& reader, const Value& value, core::Policy& policy,
                         Docker& docker) {
  // The two shapes most keys have.
  const auto flag = [&](std::string_view key, bool& target) {
    return Reader::Handlers::value_type(
        key, [&reader, key, &target](const Value& v) { target = reader.boolean(v, key); });
  };
  const auto texts = [&](std::string_view key, std::vector<std::string>& target) {
    return Reader::Handlers::value_type(
        key, [&reader, key, &target](const Value& v) { target = reader.texts(v, key); });
  };
  const auto text = [&](std::string_view key, std::string& target) {
    return Reader::Handlers::value_type(
        key, [&reader, key, &target](const Value& v) { target = reader.text(v, key); });
  };
  const auto globs = [&](std::string_view key, std::vector<std::string>& target) {
    return Reader::Handlers::value_type(
        key, [&reader, key, &target](const Value& v) { target = read_globs(reader, v, key); });
  };

  reader.map(
      value, "docker",
      {
          {"host",
           [&](const Value& v) {
             docker.host = reader.text(v, "host");
             if (!is_engine_host(docker.host)) {
               reader.bad_value(v, "host", "unix:///path or tcp://host:port");
             }
           }},
          {"tls_cert_path",
           [&](const Value& v) {
             docker.tls_cert_path = absolute_path(reader, v, "tls_cert_path");
           }},
          flag("tls_verify", docker.tls_verify),
          text("image", policy.image),
          text("helper_image", policy.helper_image),
          {"pull_policy",
           [&](const Value& v) {
             policy.pull_policies = read_pull_policies(reader, v, "pull_policy");
           }},
          {"allowed_pull_policies",
           [&](const Value& v) {
             policy.allowed_pull_policies = read_pull_policies(reader, v, "allowed_pull_policies");
           }},
          globs("allowed_images", policy.allowed_images),
          globs("allowed_services", policy.allowed_services),
          flag("privileged", policy.privileged),
          {"services_privileged",
           [&](const Value& v) {
             policy.services_privileged = reader.boolean(v, "services_privileged");
           }},
          globs("allowed_privileged_images", policy.allowed_privileged_images),
          globs("allowed_privileged_services", policy.allowed_privileged_services),
          {"docker_in_docker", [&](const Value& v) { read_docker_in_docker(reader, v, policy); }},
          text("docker_in_docker_image", policy.docker_in_docker_image),
          flag("docker_in_docker_keep_layers", policy.docker_in_docker_keep_layers),
          {"network", [&](const Value& v) { docker.network = network_mode(reader, v); }},
          {"volumes", [&](const Value& v) { policy.volumes = volumes(reader, v); }},
          {"cache_dir",
           [&](const Value& v) { policy.cache_dir = absolute_path(reader, v, "cache_dir"); }},
          flag("disable_cache", policy.disable_cache),
          {"memory", [&](const Value& v) { docker.memory_bytes = size(reader, v, "memory"); }},
          {"cpus", [&](const Value& v) { docker.nano_cpus = cpus(reader, v, "cpus"); }},
          {"shm_size",
           [&](const Value& v) { docker.shm_size_bytes = size(reader, v, "shm_size"); }},
          text("user", policy.user),
          texts("cap_add", docker.cap_add),
          texts("cap_drop", docker.cap_drop),
          texts("security_opt", docker.security_opt),
          {"dns",
           [&](const Value& v) {
             docker.dns = reader.texts(v, "dns", is_address, "IP addresses");
           }},
          {"extra_hosts",
           [&](const Value& v) {
             docker.extra_hosts =
                 reader.texts(v, "extra_hosts", is_extra_host, "name:address entries");
           }},
          {"network_mtu",
           [&](const Value& v) {
             docker.network_mtu = static_cast<int>(reader.integer(v, "network_mtu", 68, 65535));
           }},
          flag("network_isolation", docker.network_isolation),
          {"wait_for_services_timeout",
           [&](const Value& v) { read_services_timeout(reader, v, policy); }},
          {"services", [&](const Value& v) { policy.services = read_services(reader, v, {}); }},
      },
      refused_keys());
}

}  // namespace berth::settings
