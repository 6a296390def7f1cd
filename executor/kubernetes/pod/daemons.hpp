#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/dind/certificates.hpp"
#include "executor/dind/job_daemons.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>

/// Docker daemons among the services of a pod: known by their image's name, entrypoint
/// and command, since a cluster does not tell what an image says of itself.
namespace berth::kubernetes {

struct PodDaemons {
  /// Of the plan's services (PlannedDaemons::spec).
  dind::JobDaemons found{};
  /// There where one of them wants TLS.
  std::optional<dind::Certificates> certificates{};
};

/// The plan as the pod is made of it: without a spare daemon where the job brought one,
/// with the daemons' arguments, and with the name `docker` for the first of them.
/// `own`: each service's own variables, as PodInputs has them. Keeps the order of
/// what stays, and a spare daemon stands last.
struct PlannedDaemons {
  core::JobSpec spec{};
  PodDaemons daemons{};
};
PlannedDaemons plan_daemons(const core::JobSpec& spec, const core::Job& job,
                            const core::Variables& expanded,
                            const core::Variables& container_environment);

/// Keys of the job's Secret that hold the certificates, with their contents in base64.
nlohmann::json certificate_data(const dind::Certificates& certificates);

/// `volumes` of the pod for its daemons.
nlohmann::json daemon_volumes(const core::JobSpec& spec, const PodDaemons& daemons);

/// Adds what a service mounts as a daemon, and what the build container does as its
/// client, to their `volumeMounts`: certificates in place of what is mounted there,
/// layers unless the settings mount something there.
void add_daemon_mounts(nlohmann::json& mounts, const PodDaemons& daemons, std::size_t service);
void add_client_mounts(nlohmann::json& mounts, const PodDaemons& daemons);

/// Throws where a daemon's container in the pod has no privileges: JobError, or
/// OperatorError for one of the settings. A runtime class may do without.
void require_privileges(const core::JobSpec& spec, const PodDaemons& daemons,
                        const nlohmann::json& pod_spec);

}  // namespace berth::kubernetes
