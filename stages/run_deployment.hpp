#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/exit_status.hpp"
#include "executor/core/stage.hpp"
#include "executor/environments/workloads/script_output.hpp"
#include "stages/stage_main.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

/// What berth-run does beside the script where the job is a deployment: it keeps the lock
/// of the job's environment, and has the end of the job's own script recorded.
namespace berth::stages {

/// The output of a deployment's own script on its way to the log. What kubectl says there of
/// Jobs that it could not change is nowhere else to be seen, and is noted in TMPDIR.
class DeploymentLog final : public core::OutputSink {
 public:
  DeploymentLog(core::OutputSink& log, const StageContext& context);

  void write(std::string_view bytes) override;

 private:
  core::OutputSink& m_log;
  std::filesystem::path m_tmpdir;
  bool m_watching;
  environments::workloads::ScriptOutput m_output;
  std::size_t m_noted = 0;
};

/// Records how the script has ended, and gives back how the stage ends.
using Conclude = std::function<core::ExitStatus(const core::ExitStatus&)>;

/// Runs `body`, which runs the script, with a heartbeat of the lock around it; its stop
/// token stops too when the lock is lost, which is then a SystemError. Behind the job's own
/// scripts (build_script, step_*) calls `conclude`. Where the job is no deployment this is
/// body(context) alone.
core::ExitStatus run_deployment(StageContext& context, const StageBody& body,
                                const Conclude& conclude);

/// An exit status as an argument: "exit:3:0", "signal:9:1"; the last number counts
/// processes killed for want of memory.
std::string format_status(const core::ExitStatus& status);
/// Throws OperatorError for a text that is none.
core::ExitStatus parse_status(const std::string& text);

}  // namespace berth::stages
