#pragma once

#include "executor/core/exit_status.hpp"
#include "stages/stage_main.hpp"

#include <functional>
#include <optional>
#include <string>

namespace berth::stages {

class RunSecrets;

/// Replaces the process by berth-run-engine with the same arguments, and
/// --resume=<value> where a stage is to be taken up; its log goes on from `secrets`
/// (null: it has not begun). Does not return; throws.
using HandOver = std::function<void(const std::optional<std::string>& resume, RunSecrets* secrets)>;

/// berth-run: the script over the agent's own socket. Where there is no such
/// way, or the agent is lost for good, `hand_over` takes the stage to the engine,
/// which knows another way, or why the container ended. BERTH_TRANSPORT=exec in
/// the environment (for tests of that way) sends every stage there.
core::ExitStatus run_direct(StageContext& context, const HandOver& hand_over);

/// The hand-over of the real program: execv of the sibling `berth-run-engine` of
/// this executable. Throws SystemError where it cannot be started, Cancelled
/// where a stop was requested before.
HandOver exec_engine(StageContext& context, int argc, char** argv);

/// Replaces the process by berth-run-engine with --ended=<status>: records the end of a
/// deployment's script, which needs more than berth-run has. Throws as exec_engine's.
[[noreturn]] void exec_conclusion(StageContext& context, int argc, char** argv,
                                  const core::ExitStatus& status);

}  // namespace berth::stages
