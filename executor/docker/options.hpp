#pragma once

#include "executor/settings/settings.hpp"

#include <filesystem>
#include <string>

namespace berth::docker {

/// What the backend needs to know beside the plan.
struct BackendOptions {
  settings::Docker settings;
  /// Berth's state folder on this machine.
  std::filesystem::path state_dir;
  /// Folder of berth-agent.
  std::filesystem::path program_dir;
  /// Home of the user the runner runs as, for its registry logins; may be empty.
  std::filesystem::path home;
  /// File that every engine call is noted in; empty: none.
  std::string trace_file;
  /// Reach the agents' sockets through this host's files where the engine is
  /// local. Off: always through the engine.
  bool direct_sockets = true;
};

}  // namespace berth::docker
