#pragma once

#include "executor/core/job.hpp"
#include "executor/gitlab/environment.hpp"

#include <vector>

namespace berth::gitlab {

/// The variables of CUSTOM_ENV_ (expanded values, also the runner's own) with
/// the marks that only the response file has. A file variable's value is its
/// content. CI_JOB_SERVICES is left out: it is no variable of the job.
core::Variables expanded_variables(const core::Job& job, const RunnerEnvironment& environment);

/// What a container may be started with: the public variables of the job, and
/// the runner-internal ones (those of CUSTOM_ENV_ that are neither the job's nor
/// keys of `secrets`); file variables as their path (gitlab-runner,
/// common/build.go, GetServiceVariables). Everything else is in the scripts.
core::Variables container_environment(const core::Job& job, const core::Variables& expanded);

/// A service's environment: `container`, then the service's own variables, which
/// may refer to any variable of the job, also to ones it is not given itself.
core::Variables service_environment(const core::Variables& container,
                                    const core::Variables& expanded,
                                    const std::vector<core::Variable>& own);

}  // namespace berth::gitlab
