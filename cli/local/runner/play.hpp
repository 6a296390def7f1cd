#pragma once

#include "cli/local/runner/call.hpp"
#include "cli/local/runner/config.hpp"
#include "cli/local/runner/control.hpp"
#include "cli/local/runner/payload.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Plays one job as gitlab-runner's custom executor does: the four programs with
/// its arguments, environment and order, its retries, timeouts and signals
/// (gitlab-runner 19.4, executors/custom and common/build.go).
namespace berth::local::runner {

enum class NoteLevel { plain, info, warning, error };

/// What happens while a job is played. Called on the job's thread only.
class Observer {
 public:
  virtual ~Observer() = default;
  /// `prepare_executor`, or the stage's name inside the runner (the user's
  /// script is `step_script` there).
  virtual void section_begin(std::string_view stage, std::string_view title) = 0;
  virtual void section_end(std::string_view stage) = 0;
  /// Bytes as the program wrote them. A real runner shows those of cleanup in
  /// its own log, not in the job's; config's stdout is not given.
  virtual void output(Program program, std::string_view stage, Stream stream,
                      std::string_view bytes) = 0;
  /// A line of the runner's own for the job's log.
  virtual void note(NoteLevel level, std::string_view text) = 0;
  virtual void call_ended(const CallRecord& call) = 0;
};

enum class JobState { success, failed, canceled };

struct JobResult {
  JobState state = JobState::success;
  /// GitLab's word: script_failure, runner_system_failure, job_execution_timeout,
  /// job_canceled, runner_interrupted, runner_configuration_error; empty on success.
  std::string failure_reason;
  /// Of the user's script; 0 where there is none.
  int exit_code = 0;
  std::string message;
  std::vector<CallRecord> calls;
  /// TMPDIR, where PlayOptions::keep left it.
  std::filesystem::path kept;
};

struct PlayOptions {
  /// Leaves out cleanup_exec and keeps TMPDIR, for a look at what is left.
  bool keep = false;
};

/// Blocks until the job has ended and cleanup has run. Throws nothing that the
/// driver caused; support::SystemError when this machine cannot give temporary
/// files or descriptors.
JobResult play(const RunnerConfig& config, Payload payload, Control& control, Observer& observer,
               const PlayOptions& options = {});

}  // namespace berth::local::runner
