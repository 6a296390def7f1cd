#include "executor/core/planner.hpp"

#include "executor/core/plan_parts.hpp"

namespace berth::core {

JobSpec plan(const Job& job, const Variables& expanded, const Policy& policy,
             const Identity& identity) {
  JobSpec spec = identify(job, policy, identity);
  spec.helper = plan_helper(expanded, policy, identity);
  spec.build = plan_build(job, expanded, policy);
  spec.docker_in_docker = policy.docker_in_docker != DockerInDocker::never;
  plan_services(spec, job, expanded, policy);
  // A pod's directories live and go with it; its settings have volumes of their own.
  if (policy.backend != "kubernetes") plan_volumes(spec, job, expanded, policy, identity);
  const std::string_view flag = policy.backend == "kubernetes"
                                    ? "FF_DISABLE_UMASK_FOR_KUBERNETES_EXECUTOR"
                                    : "FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR";
  // The runner resolves every flag, those that nobody has set to its defaults: only
  // what GitLab sent tells that the job itself wants the old way.
  spec.helper_umask_0000 = job.variables.find(flag) != nullptr && !expanded.is_on(flag);
  return spec;
}

}  // namespace berth::core
