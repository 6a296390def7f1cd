#pragma once

#include "cli/local/runner/build_context.hpp"
#include "cli/local/runner/play.hpp"
#include "executor/support/fd.hpp"

#include <filesystem>
#include <map>

namespace berth::local::runner {

inline constexpr const char* k_tmpdir_prefix = "custom-executor";
inline constexpr const char* k_kept_mark = "kept";

/// One executor instance of the runner's: its TMPDIR with the response file,
/// what config said, and the calls of the four programs. The destructor removes
/// TMPDIR, unless kept. While this lives TMPDIR is locked (flock), so that others
/// can tell whether its runner is alive.
class Attempt {
 public:
  Attempt(BuildContext& context, const Control& control, Observer& observer,
          std::vector<CallRecord>& calls, int number);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt();

  /// config_exec, the directories, prepare_exec.
  std::optional<CallFailure> prepare(const Scope& scope);
  /// run_exec with the script in a file of its own.
  std::optional<CallFailure> run(std::string_view stage, const std::string& script,
                                 const Scope& scope);
  /// cleanup_exec; nothing but its own timeout stops it.
  void cleanup();
  /// Leaves TMPDIR, with a file k_kept_mark in it.
  void keep();
  const std::filesystem::path& directory() const noexcept { return m_directory; }
  /// True where the configuration, not a program, failed.
  bool configuration_failed() const noexcept { return m_configuration_failed; }

 private:
  using OnOutput = std::function<void(Stream, std::string_view)>;

  std::vector<std::string> environment() const;
  CallRecord call(Program program, const Command& command, const std::vector<std::string>& extra,
                  std::string_view stage, const Scope& scope, const OnOutput& on_output);
  std::optional<CallFailure> configure(const Scope& scope);
  std::optional<CallFailure> apply_config_output(const std::string& output);
  OnOutput forward(Program program, std::string stage) const;

  BuildContext& m_context;
  const Control& m_control;
  Observer& m_observer;
  std::vector<CallRecord>& m_calls;
  int m_number;
  std::filesystem::path m_directory;
  support::Fd m_lock;
  std::filesystem::path m_response_file;
  std::filesystem::path m_exit_code_file;
  std::map<std::string, std::string> m_job_env;
  std::string m_builds_dir;
  std::string m_cache_dir;
  bool m_shared_builds_dir = false;
  bool m_configuration_failed = false;
  bool m_keep = false;
};

}  // namespace berth::local::runner
