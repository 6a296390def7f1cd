#pragma once

#include "cli/local/runner/build_context.hpp"
#include "cli/local/runner/script_writer.hpp"

/// The bodies of the stages' scripts; stage_scripts.cpp puts them together.
/// Those that return bool return false when there was nothing to do.
namespace berth::local::runner {

/// Every variable exported; file variables written anew unless `files_exist`.
void write_exports(ScriptWriter& out, const BuildContext& context, bool files_exist = false);
void write_change_directory(ScriptWriter& out, const BuildContext& context);
/// Lines of the user's, each announced with `$ ` in green.
void write_user_lines(ScriptWriter& out, const BuildContext& context, const std::string& section,
                      const std::vector<std::string>& lines);
/// Gives the directories to whoever owns <builds_dir>/.gitlab-build-uid-gid, if
/// that file is there.
void write_ownership(ScriptWriter& out, const BuildContext& context,
                     const std::vector<std::string>& directories);
/// Runs `body` if `gitlab-runner` is on the PATH of the helper; else only warns.
void write_guarded(ScriptWriter& out, std::string_view action, const ScriptWriter::Body& body);

void write_get_sources(ScriptWriter& out, const BuildContext& context);
void write_clear_worktree(ScriptWriter& out, const BuildContext& context);
void write_submodules(ScriptWriter& out, const BuildContext& context);
/// Makes a credential helper forget the job's token; best effort.
void write_credential_reject(ScriptWriter& out, const BuildContext& context);
/// Locks, hooks and settings that an earlier job may have left in the checkout.
void write_git_leftovers_removal(ScriptWriter& out, const BuildContext& context);

bool write_restore_cache(ScriptWriter& out, const BuildContext& context);
bool write_archive_cache(ScriptWriter& out, const BuildContext& context, bool job_succeeded);
bool write_download_artifacts(ScriptWriter& out, const BuildContext& context);
bool write_upload_artifacts(ScriptWriter& out, const BuildContext& context, bool job_succeeded);
bool write_step(ScriptWriter& out, const BuildContext& context, std::string_view stage);
bool write_after_script(ScriptWriter& out, const BuildContext& context);
void write_cleanup(ScriptWriter& out, const BuildContext& context);

/// Names of files below RUNNER_TEMP_PROJECT_DIR.
inline constexpr std::string_view k_env_file = "gitlab_runner_env";
inline constexpr std::string_view k_cache_env_file = "gitlab_runner_cache_env";
inline constexpr std::string_view k_git_template = "git-template";
inline constexpr std::string_view k_git_ext_conf = ".gitlab-runner.ext.conf";
inline constexpr std::string_view k_git_global_conf = ".glr.gconf";
inline constexpr std::string_view k_masking_db = "masking.db";
inline constexpr std::string_view k_runner_command = "gitlab-runner";
/// Holds the path of k_git_ext_conf while sources are fetched.
inline constexpr std::string_view k_ext_conf_variable = "GLR_EXT_GIT_CONFIG_PATH";

}  // namespace berth::local::runner
