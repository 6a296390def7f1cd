#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What the engine says about its objects: the parts Berth looks at, as values.
namespace berth::docker {

struct EngineVersion {
  std::string version{};
  /// Docker's words: amd64, arm64, arm, 386, ppc64le, s390x, riscv64.
  std::string arch{};
  std::string os{};
  std::string api_version{};
  std::string min_api_version{};
};

struct EngineInfo {
  std::string id{};
  std::string name{};
  /// "1" or "2"; empty where the engine does not say.
  std::string cgroup_version{};
  std::string storage_driver{};
  std::string operating_system{};
  std::int64_t cpus = 0;
  std::int64_t memory_bytes = 0;
  std::vector<std::string> security_options{};
  std::vector<std::string> warnings{};
};

struct ImageHealthcheck {
  std::vector<std::string> test{};
};

struct ImageInfo {
  std::string id{};
  std::vector<std::string> repo_tags{};
  std::vector<std::string> repo_digests{};
  std::vector<std::string> entrypoint{};
  std::vector<std::string> cmd{};
  /// KEY=value
  std::vector<std::string> env{};
  /// "5432/tcp"
  std::vector<std::string> exposed_ports{};
  std::vector<std::string> volumes{};
  std::string user{};
  std::string working_dir{};
  std::optional<ImageHealthcheck> healthcheck{};
  std::string arch{};
  std::string os{};
};

struct NetworkEndpoint {
  std::string network_id{};
  std::string ip_address{};
  std::string ipv6_address{};
  std::string gateway{};
  std::vector<std::string> aliases{};
};

struct ContainerState {
  /// created | running | paused | restarting | removing | exited | dead | stopped
  std::string status{};
  bool running = false;
  bool oom_killed = false;
  int exit_code = 0;
  /// The engine's words where the process could not be started.
  std::string error{};
  std::string started_at{};
  std::string finished_at{};
  /// starting | healthy | unhealthy | "" (no HEALTHCHECK)
  std::string health{};
};

struct ContainerInfo {
  std::string id{};
  /// Without the leading '/'.
  std::string name{};
  std::string image_id{};
  std::string created{};
  ContainerState state{};
  std::map<std::string, std::string> labels{};
  /// By network name.
  std::map<std::string, NetworkEndpoint> networks{};
};

/// A line of the container list.
struct ContainerSummary {
  std::string id{};
  std::vector<std::string> names{};
  std::string image{};
  /// As ContainerState::status.
  std::string state{};
  std::int64_t created = 0;
  std::map<std::string, std::string> labels{};
};

struct NetworkInfo {
  std::string id{};
  std::string name{};
  std::string driver{};
  std::string created{};
  std::map<std::string, std::string> labels{};
  /// IDs of containers that are attached; filled by inspect, not by list.
  std::vector<std::string> containers{};
  /// "172.18.0.0/16"
  std::vector<std::string> subnets{};
  std::vector<std::string> gateways{};
};

struct VolumeInfo {
  std::string name{};
  std::string driver{};
  std::string created_at{};
  std::string mountpoint{};
  std::map<std::string, std::string> labels{};
};

struct ExecInfo {
  std::string container_id{};
  bool running = false;
  /// Meaningful when it does not run.
  int exit_code = 0;
  std::int64_t pid = 0;
};

/// The header of a path inside a container.
struct PathStat {
  std::string name{};
  std::int64_t size = 0;
  /// Go's os.FileMode bits.
  std::uint32_t mode = 0;
  std::string link_target{};
};

}  // namespace berth::docker
