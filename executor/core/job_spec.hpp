#pragma once

#include "executor/core/stage.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The decision about one job: made once by core/planner, written as plan.json
/// (executor/state), read by every later stage. It holds no variable values
/// and no credentials: those are read again from where they are trusted.
namespace berth::core {

/// Which image a container is made from, and what may be done to it.
struct ContainerSpec {
  std::string image{};
  std::optional<std::vector<std::string>> entrypoint{};
  std::optional<std::vector<std::string>> command{};
  /// In the order to try: always | if-not-present | never. Empty (kubernetes
  /// only): as the cluster does.
  std::vector<std::string> pull_policies{};
  /// user[:group] of the image's own words (kubernetes: numbers); empty leaves the
  /// image's USER.
  std::string user{};
  std::string platform{};
  bool privileged = false;
  bool operator==(const ContainerSpec&) const = default;
};

struct ServiceSpec {
  ContainerSpec container{};
  /// Every name this service answers to, without duplicates, most specific last.
  std::vector<std::string> aliases{};
  /// Index in Job::services, to find its variables again. -1: from settings.
  int job_index = -1;
  int settings_index = -1;
  /// Key of berth.yaml that keeps privileges from it; empty where it has them.
  /// (Kubernetes decides by its own keys.)
  std::string unprivileged_by{};
  /// A Docker daemon nobody asked for but `docker_in_docker: always`; left out
  /// where another service turns out to be one.
  bool spare_daemon = false;
  /// Variables it is given beside its own: service_compat.hpp.
  std::map<std::string, std::string> added{};
  bool operator==(const ServiceSpec&) const = default;
};

/// A directory that outlives containers.
struct VolumeSpec {
  std::string name{};
  std::string destination{};
  /// Removed with the job.
  bool per_job = false;
  bool operator==(const VolumeSpec&) const = default;
};

/// A `volumes:` entry of the settings with a source, or a directory under the
/// settings' cache_dir (the engine makes a missing one).
struct BindSpec {
  /// Absolute path on the engine's host, or the name of a volume that is not ours.
  std::string source{};
  std::string destination{};
  /// "ro", "z", "ro,z", ...; may be empty.
  std::string mode{};
  bool operator==(const BindSpec&) const = default;
};

struct JobSpec {
  /// Raised when plan.json changes its meaning.
  static constexpr int k_version = 2;

  std::string backend;
  std::int64_t job_id = 0;
  std::string job_name;
  std::int64_t project_id = 0;
  /// Random, 12 hexadecimal digits: names everything of this attempt.
  std::string attempt;
  /// The attempt's TMPDIR: as long as it exists, the attempt lives.
  std::string tmpdir;
  /// Prefix of every object's name: berth-<job id>-<attempt>.
  std::string resource_name;
  /// Of the job's containers, as the built-in executors name them:
  /// runner-<token>-project-<id>-concurrent-<slot>.
  std::string hostname;
  /// Paths inside the job's containers.
  std::string builds_dir;
  std::string cache_dir;
  /// Point in time, seconds since the epoch, after which the agents end the
  /// job's containers on their own.
  std::int64_t deadline = 0;
  std::chrono::seconds orphan_timeout{900};
  std::chrono::seconds connection_timeout{300};
  /// How long pulls that failed for the network's sake are tried again, per image.
  std::chrono::seconds pull_retry_timeout{180};
  /// Negative: services are not waited for.
  std::chrono::seconds wait_for_services_timeout{30};

  ContainerSpec helper;
  ContainerSpec build;
  std::vector<ServiceSpec> services;
  std::vector<VolumeSpec> volumes;
  std::vector<BindSpec> binds;
  /// Whether Docker daemons among the services are looked for.
  bool docker_in_docker = true;
  /// Of a daemon's layers that are kept for the next job; empty: they go with it.
  std::string layers_volume;
  /// Labels by their full name, for every object of the job: who and when. A
  /// backend adds com.gitlab.gitlab-runner.type.
  std::map<std::string, std::string> labels;
  /// Notes of the planner for the job log (a duplicate alias was dropped, ...).
  std::vector<std::string> notes;
  /// The job has set FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR, or its Kubernetes twin, to
  /// false: the helper's stages make files that everybody may write.
  bool helper_umask_0000 = false;
  bool operator==(const JobSpec&) const = default;
};

}  // namespace berth::core
