#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/pod/pod.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// The containers of the pod; each as it stands in `containers`.
///
/// The agent takes the place of the image's ENTRYPOINT; with
/// FF_KUBERNETES_HONOR_ENTRYPOINT it becomes the argument of the build image's, or
/// of `image:entrypoint`. Services run as their image, or the job, says.
namespace berth::kubernetes {

nlohmann::json build_container(const core::JobSpec& spec, const PodInputs& inputs,
                               std::vector<std::string>& notes);
nlohmann::json helper_container(const core::JobSpec& spec, const PodInputs& inputs);
nlohmann::json service_container(const core::JobSpec& spec, std::size_t index,
                                 const std::string& name, const PodInputs& inputs,
                                 std::vector<std::string>& notes);

/// ResourceRequirements; an empty object where nothing is set.
nlohmann::json resource_requirements(const settings::Resources& resources);

/// The init container that puts the agent of `agent_image` where the others find
/// it: the image's /berth-agent, run as `/berth-agent install <directory>`. An image
/// volume would need no container, but clusters have those from 1.33 on, behind a
/// gate, and with containerd 2.1 alone.
nlohmann::json agent_container(const PodInputs& inputs);

}  // namespace berth::kubernetes
