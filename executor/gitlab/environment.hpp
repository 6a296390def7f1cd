#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace berth::gitlab {

/// What GitLab Runner's custom executor gives each driver program in its
/// environment (gitlab-runner, executors/custom/custom.go).
struct RunnerEnvironment {
  /// The attempt's own directory; the same from config to cleanup, removed by
  /// the runner behind cleanup. Empty where it is not set.
  std::filesystem::path tmpdir;
  int build_failure_exit_code = 1;
  int system_failure_exit_code = 2;
  /// Empty where not set.
  std::filesystem::path build_exit_code_file;
  std::filesystem::path job_response_file;
  /// CUSTOM_ENV_<key> without the prefix: the job's variables, expanded. A job
  /// chooses most of them: never a source of policy or identity.
  std::map<std::string, std::string, std::less<>> variables;

  /// Value, or "" where there is none.
  std::string variable(std::string_view key) const;
};

/// Never throws for odd values: an exit code that is not a number from 1 to 255
/// falls back to the default, so that a failure can still be reported.
/// `environment` ends with a null pointer, like ::environ.
RunnerEnvironment read_environment(const char* const* environment);

}  // namespace berth::gitlab
