#pragma once

#include "executor/support/secret.hpp"

#include <map>
#include <string>
#include <vector>

namespace berth::core {

/// Where the build container has a job's credentials as files: in memory.
inline constexpr const char* k_credentials_directory = "/run/berth/credentials";

/// What prepare gives a job's containers in memory, beside what its scripts carry.
/// Made by executor/credentials from the job's variables, for one call: never stored.
struct JobSecrets {
  struct File {
    /// Absolute, in k_credentials_directory.
    std::string path{};
    support::Secret content{};
  };

  /// The agents' note for the stages (masking::StageSecrets); its name is no secret
  /// of the job, but not told to it. Both empty: none.
  std::string note{};
  support::Secret stages{};
  /// For the build container's user alone.
  std::vector<File> files{};
  /// Of the build container's stages, where it has no such variable: paths.
  std::map<std::string, std::string> exports{};
  /// Directories that become links into memory where the image has nothing there.
  std::vector<std::string> links{};
  /// Directories that memory is mounted over, whatever the image has there.
  std::vector<std::string> mounts{};
  /// For the job log.
  std::vector<std::string> notes{};
  std::vector<std::string> warnings{};

  bool needs_memory() const noexcept { return !files.empty() || !links.empty(); }
};

}  // namespace berth::core
