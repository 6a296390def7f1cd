#pragma once

#include "cli/local/runner/build_context.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace berth::local::runner {

/// The script of one stage, as the runner would write it to the file it hands
/// to run_exec; nothing when the stage has nothing to do, so that run_exec is
/// not called. Throws std::runtime_error when the job's variables make the
/// script impossible (an unknown GIT_SUBMODULE_STRATEGY, a bad cache policy).
///
/// Stages: prepare_script, get_sources, clear_worktree, restore_cache,
/// download_artifacts, step_<name>, after_script, archive_cache,
/// archive_cache_on_failure, upload_artifacts_on_success,
/// upload_artifacts_on_failure, cleanup_file_variables.
///
/// Commands and messages follow gitlab-runner's shells/abstract.go, since jobs,
/// helper images and users rely on them; the text is our own.
std::optional<std::string> stage_script(std::string_view stage, const BuildContext& context);

/// The title the runner prints above a stage.
std::string stage_title(std::string_view stage);

}  // namespace berth::local::runner
