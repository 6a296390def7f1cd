#pragma once

#include "executor/core/job.hpp"
#include "executor/settings/kubernetes.hpp"

#include <filesystem>
#include <string>

namespace berth::kubernetes {

/// What the backend needs to know beside the plan.
struct BackendOptions {
  settings::Kubernetes settings;
  /// Berth's state folder on this machine: who we are, to the sweep.
  std::filesystem::path state_dir;
  /// Folder of berth-agent.
  std::filesystem::path program_dir;
  /// Home of the user the runner runs as, for its registry logins; may be empty.
  std::filesystem::path home;
  /// Absolute; empty: the usual places, or none.
  std::filesystem::path settings_file;
  /// Keep execs for all of a job's stages.
  bool tunnels = true;
  /// File that every call is noted in; empty: none.
  std::string trace_file;
  /// The job's KUBERNETES_* variables as each stage has them, expanded: they may
  /// overwrite namespace and token.
  core::Variables overwrites;
};

}  // namespace berth::kubernetes
