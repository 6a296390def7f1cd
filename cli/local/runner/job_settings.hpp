#pragma once

#include "cli/local/runner/config.hpp"
#include "cli/local/runner/payload.hpp"

#include <map>
#include <string>
#include <vector>

namespace berth::local::runner {

enum class GitStrategy { clone, fetch, none, empty };
enum class SubmoduleStrategy { none, normal, recursive, invalid };

/// What a job's variables tell the runner itself to do (gitlab-runner,
/// common/build_settings.go). A value that cannot be read is replaced by the
/// default and named in `problems`.
struct JobSettings {
  bool debug_trace = false;
  std::string git_clone_path;
  GitStrategy git_strategy = GitStrategy::clone;
  bool git_checkout = true;
  SubmoduleStrategy submodule_strategy = SubmoduleStrategy::none;
  std::vector<std::string> submodule_paths;
  int submodule_depth = 0;
  std::vector<std::string> git_clean_flags;
  std::vector<std::string> git_fetch_flags;
  std::vector<std::string> submodule_update_flags;
  bool lfs_skip_smudge = false;
  bool submodule_force_https = false;
  int get_sources_attempts = 1;
  int artifact_download_attempts = 1;
  int restore_cache_attempts = 1;
  bool after_script_ignore_errors = true;
  int cache_request_timeout = 10;
  std::map<std::string, bool, std::less<>> feature_flags;
  std::vector<std::string> problems;

  bool flag(std::string_view name) const;
};

/// `variables` are the job's, expanded.
JobSettings read_job_settings(const VariableList& variables, const Payload& payload,
                              const RunnerConfig& config);

}  // namespace berth::local::runner
