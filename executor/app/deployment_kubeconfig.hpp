#pragma once

#include "executor/app/stage_work.hpp"
#include "executor/core/job.hpp"
#include "executor/environments/workloads/access.hpp"
#include "executor/settings/settings.hpp"

#include <optional>

/// Where the kubeconfig of a deployment comes from, beside the job's variables
/// (environments::workloads::kubeconfig_of).
namespace berth::app {

/// The rule's own, on the manager's disk. Throws support::SystemError where it cannot be read.
std::optional<environments::workloads::KubeconfigText> operators_kubeconfig(
    const settings::EnvironmentRule& rule);

/// The first that the build container has at `$KUBECONFIG` or `~/.kube/config`, read by its
/// agent. Throws what core::Backend::run throws.
std::optional<environments::workloads::KubeconfigText> kubeconfig_left_by_script(
    const StageInput& input, const settings::Settings& settings, const core::Job& job);

}  // namespace berth::app
