#pragma once

#include "executor/settings/kubernetes.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace berth::kubernetes {

/// PodSecurityContext; an empty object where nothing is set.
nlohmann::json pod_security_context(const settings::PodSecurity& security);

/// SecurityContext of one container: its own settings before the global ones.
/// Capabilities: NET_RAW is dropped where nobody adds it; a list of the
/// container's own takes the place of the global one.
nlohmann::json container_security_context(const settings::Kubernetes& settings,
                                          const settings::ContainerSecurity& own);

/// Puts the user a job asks for, "uid[:gid]", into a container's context, where
/// neither the container's nor the pod's settings name one and the settings allow
/// it (0 only where `allowed_users`, or `allowed_groups`, has it). Otherwise a note:
/// the container runs as set, as with the built-in executor.
void set_job_user(nlohmann::json& context, const settings::Kubernetes& settings,
                  const settings::ContainerSecurity& own, const std::string& user,
                  const std::string& container, std::vector<std::string>& notes);

}  // namespace berth::kubernetes
