#include "cli/local/runner/stage_scripts.hpp"

#include "cli/local/runner/script_parts.hpp"

#include <fmt/format.h>

#include <map>

namespace berth::local::runner {
namespace {

void write_prepare(ScriptWriter& out, const BuildContext& context) {
  out.line(context.hostname.empty() ? std::string(R"(echo "Running on $(hostname)...")")
                                    : fmt::format(R"(echo "Running on $(hostname) via "{}...)",
                                                  out.quoted(context.hostname)));
  out.remove_file(context.temp_file(k_env_file));
  out.remove_file(context.temp_file(k_masking_db));
}

bool write_stage(ScriptWriter& out, std::string_view stage, const BuildContext& context) {
  if (stage == "prepare_script") {
    write_prepare(out, context);
  } else if (stage == "get_sources") {
    write_get_sources(out, context);
  } else if (stage == "clear_worktree") {
    write_clear_worktree(out, context);
  } else if (stage == "restore_cache") {
    return write_restore_cache(out, context);
  } else if (stage == "download_artifacts") {
    return write_download_artifacts(out, context);
  } else if (stage == "after_script") {
    return write_after_script(out, context);
  } else if (stage == "archive_cache" || stage == "archive_cache_on_failure") {
    return write_archive_cache(out, context, stage == "archive_cache");
  } else if (stage == "upload_artifacts_on_success" || stage == "upload_artifacts_on_failure") {
    return write_upload_artifacts(out, context, stage == "upload_artifacts_on_success");
  } else if (stage == "cleanup_file_variables") {
    write_cleanup(out, context);
  } else {
    return write_step(out, context, stage);
  }
  return true;
}

}  // namespace

std::optional<std::string> stage_script(std::string_view stage, const BuildContext& context) {
  ScriptWriter out({.shell = context.shell,
                    .posix_quotes = context.flag("FF_POSIXLY_CORRECT_ESCAPES"),
                    .check_exit_codes = context.flag("FF_ENABLE_BASH_EXIT_CODE_CHECK"),
                    .legacy_eval = context.flag("FF_USE_LEGACY_BASH_EVAL"),
                    .trace = context.settings().debug_trace});
  if (!write_stage(out, stage, context)) return std::nullopt;
  return out.finish();
}

std::string stage_title(std::string_view stage) {
  static const std::map<std::string_view, std::string_view> titles{
      {"prepare_executor", "Preparing the \"custom\" executor"},
      {"prepare_script", "Preparing environment"},
      {"get_sources", "Getting source from Git repository"},
      {"clear_worktree", "Deleting all tracked and untracked files due to source fetch failure"},
      {"restore_cache", "Restoring cache"},
      {"download_artifacts", "Downloading artifacts"},
      {"after_script", "Running after_script"},
      {"archive_cache", "Saving cache for successful job"},
      {"archive_cache_on_failure", "Saving cache for failed job"},
      {"upload_artifacts_on_success", "Uploading artifacts for successful job"},
      {"upload_artifacts_on_failure", "Uploading artifacts for failed job"},
      {"cleanup_file_variables", "Cleaning up project directory and file based variables"},
  };
  const auto found = titles.find(stage);
  if (found != titles.end()) return std::string(found->second);
  return fmt::format("Executing \"{}\" stage of the job script", stage);
}

}  // namespace berth::local::runner
