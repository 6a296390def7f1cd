#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace berth::core {

/// A service the operator gives to every job.
struct DefaultService {
  std::string name{};
  std::string alias{};
  std::optional<std::vector<std::string>> entrypoint{};
  std::optional<std::vector<std::string>> command{};
  /// `environment`; values may refer to the job's variables.
  std::vector<Variable> variables{};
  bool operator==(const DefaultService&) const = default;
};

/// What is done about Docker daemons among a job's services.
enum class DockerInDocker {
  /// Recognised ones are made to work.
  automatic,
  /// The same, and a job without one is given one.
  always,
  /// They are services like any other.
  never,
};

/// The part of the settings that decides about jobs, whatever the backend.
/// Key names and meanings are those of [runners.docker] and [runners.kubernetes].
struct Policy {
  std::string backend = "docker";
  std::string image;
  std::string helper_image;
  /// Architecture of the machines that run jobs, for the default helper image;
  /// empty: as this one.
  std::string machine;
  /// Tried in order; empty (kubernetes only): as the cluster does.
  std::vector<std::string> pull_policies{"always"};
  /// Empty: as pull_policies.
  std::vector<std::string> allowed_pull_policies;
  std::vector<std::string> allowed_images;
  std::vector<std::string> allowed_services;
  bool privileged = false;
  /// Nothing: as privileged.
  std::optional<bool> services_privileged;
  /// docker only. Patterns (glob_match); empty: every image. What none of them
  /// matches is not privileged, whatever the two above say.
  std::vector<std::string> allowed_privileged_images;
  std::vector<std::string> allowed_privileged_services;
  DockerInDocker docker_in_docker = DockerInDocker::automatic;
  /// Of the daemon that DockerInDocker::always adds.
  std::string docker_in_docker_image = "docker:dind";
  /// docker only: a daemon's layers stay for the next job of the project on this
  /// slot of the runner.
  bool docker_in_docker_keep_layers = false;
  /// Of the build container; beats the job's docker:user.
  std::string user;
  std::vector<std::string> volumes;
  /// A directory of the engine's host that holds what would be volumes; empty:
  /// volumes. (Where the job sees its cache is JobSpec::cache_dir.)
  std::string cache_dir;
  bool disable_cache = false;
  /// Services of today start as their older images did: service_compat.hpp.
  bool service_compat = false;
  /// Negative: do not wait.
  std::chrono::seconds wait_for_services_timeout{30};
  std::chrono::seconds orphan_timeout{900};
  std::chrono::seconds connection_timeout{300};
  std::chrono::seconds pull_retry_timeout{180};
  std::vector<DefaultService> services;
  bool operator==(const Policy&) const = default;
};

/// Who this attempt is; nothing a job can choose, except where said.
struct Identity {
  std::string attempt{};
  std::string tmpdir{};
  /// Parts runners that share an engine: leftovers of another host's jobs are
  /// none of ours (executor/state/host_id.hpp).
  std::string host{};
  /// `uname -m`, for the default helper image.
  std::string machine{};
  /// Seconds since the epoch.
  std::int64_t now = 0;
  /// CI_RUNNER_SHORT_TOKEN and CI_CONCURRENT_PROJECT_ID of CUSTOM_ENV_: a job
  /// can override them, so they only part names inside one project.
  std::string runner_short_token{};
  std::string concurrent_project_id{};
  /// CI_RUNNER_VERSION, for the default helper image.
  std::string runner_version{};
  bool operator==(const Identity&) const = default;
};

/// What can be said of a job without deciding anything: names, directories,
/// times and labels. Enough for Backend::cleanup where no plan was made.
JobSpec identify(const Job& job, const Policy& policy, const Identity& identity);

/// Decides everything about a job once. Pure.
///
/// `expanded` is used only for what a job may decide about itself (GIT_STRATEGY,
/// feature flags, names in image references and mount points); policy comes from
/// `job` and `policy` alone. Throws JobError (image not allowed, no image
/// anywhere, pull policies without overlap) or OperatorError (bad image name or
/// volume in the settings).
JobSpec plan(const Job& job, const Variables& expanded, const Policy& policy,
             const Identity& identity);

}  // namespace berth::core
