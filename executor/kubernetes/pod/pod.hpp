#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/pod/daemons.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/settings/kubernetes.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The pod of a job: build, helper and services as containers of one pod. Pure.
/// tests/unit/kubernetes_pod/golden/ shows what each setting changes in it.
namespace berth::kubernetes {

/// What one service is started with.
struct ServiceInput {
  /// Its own variables (`services: variables:`, or `environment` of the
  /// settings), as written.
  std::vector<core::Variable> own{};
};

/// What had to be asked, decided or read elsewhere.
struct PodInputs {
  /// Of apply_overwrites().
  const settings::Kubernetes& settings;
  /// core::PrepareInput's: what settings with variables in them are expanded
  /// with, and what containers may be started with.
  const core::Variables& expanded;
  const core::Variables& container_environment;
  /// As JobSpec::services.
  std::vector<ServiceInput> services{};
  /// Identity::host.
  std::string host{};
  /// Seconds since the epoch; activeDeadlineSeconds counts from here.
  std::int64_t now = 0;
  /// Of node_architecture(): the pod is kept on nodes with it. Empty: anywhere.
  std::string architecture{};
  /// Name of the ConfigMap with the agent (agent_config_map.hpp); unused with
  /// `agent_image`.
  std::string agent_config_map{};
  /// The job has registry logins: the pod pulls with them, and waits for its
  /// Secret (job_secret.hpp).
  bool registry_logins = false;
  /// Directories of the build container that are kept in memory.
  std::vector<std::string> memory{};
  /// Which of ContainerSpec::pull_policies to use, per container: build, helper,
  /// then services; missing ones are 0.
  std::vector<std::size_t> pull_attempts{};
  /// Of plan_daemons(), whose JobSpec then is the one the pod is made of; null: none.
  const PodDaemons* daemons = nullptr;
};

/// Kubernetes' name of the container's n-th pull policy: Always, IfNotPresent,
/// Never; "" where the cluster decides. Nothing is left where n is too high.
std::string pull_policy(const core::ContainerSpec& container, std::size_t attempt);

/// Body of POST /api/v1/namespaces/<namespace>/pods. With needs_secret(), the
/// pod has the scheduling gate k_secret_gate; remove it when the Secret is there.
/// Adds to `notes` what the job's author should know. Throws JobError (a user, a
/// label, a service the job may not have) or OperatorError (a patch or a value of
/// the settings that makes no pod).
nlohmann::json make_pod(const core::JobSpec& spec, const PodInputs& inputs,
                        std::vector<std::string>& notes);

/// kubernetes.io/arch of the nodes a job's pod goes to: what node_selector says,
/// else this machine's (`uname -m`). The agent has to be one for it.
std::string node_architecture(const settings::Kubernetes& settings, std::string_view machine);

/// Body of the PATCH (application/json-patch+json, on the pod) that removes the
/// gate from `pod`, the server's answer to its creation: tests before it
/// removes, so that a second time is an error of the server and harmless.
nlohmann::json remove_gate_patch(const nlohmann::json& pod);

}  // namespace berth::kubernetes
