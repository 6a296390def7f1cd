#pragma once

#include <map>
#include <optional>
#include <string>

namespace berth::gitlab {

/// What config_exec prints (gitlab-runner, executors/custom/api/config.go).
struct ConfigOutput {
  /// Absolute paths inside the job's containers.
  std::string builds_dir{};
  std::string cache_dir{};
  bool builds_dir_is_shared = false;
  /// Shown in the log: "Running on X via <hostname>..."; left out when empty.
  std::string hostname{};
  std::string driver_name = "berth";
  std::string driver_version{};
  /// Environment of the later stages, without prefix.
  std::map<std::string, std::string> job_env{};
};

/// One JSON object on one line, without a newline. Bytes that are not UTF-8
/// become U+FFFD, as the runner would refuse the whole answer otherwise.
std::string to_json(const ConfigOutput& output);

}  // namespace berth::gitlab
