#pragma once

#include "executor/core/exit_status.hpp"
#include "executor/core/stage.hpp"
#include "executor/gitlab/environment.hpp"
#include "executor/support/console.hpp"
#include "stages/arguments.hpp"

#include <functional>
#include <stop_token>

namespace berth::stages {

/// What a stage's body works with. Valid for the call.
struct StageContext {
  const Arguments& arguments;
  const gitlab::RunnerEnvironment& environment;
  /// Standard error: the job log (in cleanup: the runner's own log).
  support::Console& console;
  /// Stop is requested on SIGTERM, SIGINT or SIGHUP.
  std::stop_token stop;
  /// To be called before the process is replaced by another program: signals
  /// that come from then on stay pending for that program. Look at `stop` again
  /// behind it. Idempotent.
  std::function<void()> hand_over_signals;
};

/// A stage's work. Returns how the script ended; ExitStatus{} for success in
/// stages without a script. Throws support::Error, support::Cancelled.
using StageBody = std::function<core::ExitStatus(StageContext&)>;

/// The frame around each stage program: arguments, signals, the one catch site
/// and the exit codes of the contract (core/failure_policy). Returns what main
/// returns: 0, BUILD_FAILURE_EXIT_CODE (BUILD_EXIT_CODE_FILE written first) or
/// SYSTEM_FAILURE_EXIT_CODE, and nothing else. To be called once, before any
/// thread is started: it blocks the signals it waits for, in every thread and in
/// every child that does not reset its mask, and ignores SIGPIPE.
int stage_main(core::Stage stage, int argc, char** argv, const StageBody& body);

}  // namespace berth::stages
