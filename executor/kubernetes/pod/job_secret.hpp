#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/credentials/registry_logins.hpp"
#include "executor/kubernetes/pod/pod.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace berth::kubernetes {

/// The logins that an image of the job needs, and no other.
credentials::RegistryLogins logins_of_images(const core::JobSpec& spec,
                                             const credentials::RegistryLogins& all);

/// Whether make_pod() made a pod that waits for a Secret: for its registry
/// logins, or for service variables that are made of values that are not public.
bool needs_secret(const core::JobSpec& spec, const PodInputs& inputs);

/// Body of POST .../secrets, which holds secrets: for that request alone. Immutable,
/// named secret_name(), owned by the pod `pod_uid`. `logins` are
/// logins_of_images(); none: no pull Secret.
nlohmann::json job_secret(const core::JobSpec& spec, const PodInputs& inputs,
                          const credentials::RegistryLogins& logins, std::string_view pod_uid);

}  // namespace berth::kubernetes
