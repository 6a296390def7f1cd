#pragma once

#include "executor/core/job.hpp"
#include "executor/settings/kubernetes.hpp"

#include <string>
#include <vector>

namespace berth::kubernetes {

/// The settings as they hold for one job.
struct JobSettings {
  settings::Kubernetes settings;
  /// What was overwritten, and what was asked for but is not allowed: for the
  /// job log, in prepare only.
  std::vector<std::string> notes;
};

/// Applies the job's KUBERNETES_* variables (kubernetes-executor docs,
/// "Overwriting ..."; gitlab-runner, executors/kubernetes/overwrites.go), bounded
/// by the settings' `_overwrite_allowed` patterns (RE2, found anywhere in the
/// value) and `_overwrite_max_allowed` quantities. A variable whose key is not
/// set is left aside with a note; one outside its bound throws JobError.
///
/// `variables` are the job's, expanded. Each stage can call this with the
/// variables of its own CUSTOM_ENV_: it is the same in all of them, and so the
/// namespace and the bearer token need no state.
JobSettings apply_overwrites(const settings::Kubernetes& settings,
                             const core::Variables& variables);

/// Requests and limits of one service: KUBERNETES_SERVICE_* in its own variables
/// count before the job's, which `settings` (of apply_overwrites) already has.
/// `name` stands in errors and notes.
settings::Resources service_resources(const settings::Kubernetes& settings,
                                      const std::vector<core::Variable>& own,
                                      const std::string& name, std::vector<std::string>& notes);

}  // namespace berth::kubernetes
