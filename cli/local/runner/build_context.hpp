#pragma once

#include "cli/local/runner/job_settings.hpp"
#include "cli/local/runner/url.hpp"

#include <stdexcept>

namespace berth::local::runner {

/// The runner's configuration and the job do not fit (no builds_dir,
/// GIT_CLONE_PATH not allowed, ...): the job fails without a retry.
class ConfigurationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the runner knows of one job while it plays it: the payload, the
/// directories, and all variables in the order of gitlab-runner's
/// Build.GetAllVariables. Owned by one thread.
class BuildContext {
 public:
  BuildContext(const RunnerConfig& config, Payload payload);

  /// Names of images and their aliases may refer to variables; the runner
  /// replaces those before it writes the response file.
  void expand_container_names();
  /// Fixes the directories from then on. Throws ConfigurationError.
  void set_directories(const std::string& builds_dir, const std::string& cache_dir, bool shared);
  /// Forgets the directories: a new attempt starts.
  void clear_directories();
  void set_job_status(std::string status) {
    m_variables.overwrite_first("CI_JOB_STATUS", std::move(status));
  }

  const RunnerConfig& config() const noexcept { return m_config; }
  const Payload& payload() const noexcept { return m_payload; }
  const VariableList& variables() const noexcept { return m_variables; }
  const JobSettings& settings() const noexcept { return m_settings; }
  bool flag(std::string_view name) const { return m_settings.flag(name); }

  const std::string& builds_dir() const noexcept { return m_builds_dir; }
  /// The local cache of this project.
  const std::string& cache_dir() const noexcept { return m_cache_dir; }
  const std::string& project_dir() const noexcept { return m_project_dir; }
  std::string temp_dir() const { return m_project_dir + ".tmp"; }
  std::string temp_file(std::string_view name) const;
  std::string shell;
  /// Set by the driver's config output.
  std::string hostname;

  /// Job timeout: never zero.
  std::chrono::seconds job_timeout() const;
  /// Address of the sources with credentials, as git must use it.
  Url remote_url() const;
  /// Pairs (with credentials, without) for git's url.<base>.insteadOf.
  std::vector<std::pair<std::string, std::string>> instead_of() const;
  /// Identifies the request in the server's logs.
  const std::string& correlation_id() const noexcept { return m_correlation_id; }

 private:
  void refresh();
  std::vector<Variable> variables_before_job() const;
  std::vector<Variable> variables_after_job(bool network_per_build) const;
  std::string project_unique_dir(bool shared) const;
  std::string custom_or_default_dir(bool shared) const;

  const RunnerConfig& m_config;
  Payload m_payload;
  VariableList m_variables;
  JobSettings m_settings;
  std::string m_builds_dir;
  std::string m_cache_dir;
  std::string m_project_dir;
  std::string m_correlation_id;
};

}  // namespace berth::local::runner
