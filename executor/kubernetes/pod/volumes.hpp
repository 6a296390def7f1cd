#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/pod/pod.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

/// The pod's volumes, and where each container has them:
///
///     repo                 builds_dir    all      emptyDir, unless a volume of the
///     berth-cache          cache_dir     all      settings is mounted there
///     (settings)           mount_path    all
///     berth-agent          /.berth/bin   build, helper   read-only
///     berth-run-<name>     /.berth/run   that one, in memory
///     berth-lease          /.berth/lease build, helper
///     berth-dind-...       see daemons.hpp
///     berth-memory-<n>     (credentials) build, in memory
namespace berth::kubernetes {

/// `volumes` of the PodSpec.
nlohmann::json pod_volumes(const core::JobSpec& spec, const PodInputs& inputs);

/// `volumeMounts` of a service.
nlohmann::json job_mounts(const core::JobSpec& spec, const PodInputs& inputs);

/// `volumeMounts` of build or helper.
nlohmann::json agent_mounts(const core::JobSpec& spec, const PodInputs& inputs,
                            std::string_view container);

/// Where a new volume of the settings may have to be opened for every user:
/// "/builds:/cache", "" where neither is one.
std::string directories_to_open(const core::JobSpec& spec, const PodInputs& inputs);

}  // namespace berth::kubernetes
