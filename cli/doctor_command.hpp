#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace berth::cli {

struct DoctorOptions {
  /// Empty: where the four programs look for theirs.
  std::filesystem::path settings{};
  bool json = false;
  /// Without a container or pod of its own.
  bool no_probe = false;
  /// Names that jobs must be able to resolve.
  std::vector<std::string> hosts{};
  /// Of the helper image, where the settings name none.
  std::string runner_version{};
  /// Seconds a pod may take to start.
  int start_limit = 60;
};

/// Looks at everything, prints it. Gives the exit code: 0, or 1 where something
/// failed. Call it before any thread is started.
int run_doctor(const DoctorOptions& options);

}  // namespace berth::cli
