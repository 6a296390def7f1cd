#include "stages/run_input.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/state/plan.hpp"
#include "executor/state/sandbox.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

namespace berth::stages {
namespace {

constexpr const char* k_not_prepared =
    "berth-run needs what berth-config and berth-prepare leave in TMPDIR: check config_exec and "
    "prepare_exec in config.toml";

}  // namespace

RunInput read_run_input(const StageContext& context) {
  const std::filesystem::path& tmpdir = context.environment.tmpdir;
  auto spec = state::read_plan(tmpdir);
  if (!spec)
    throw support::OperatorError(
        "cannot run '" + context.arguments.script_stage + "': no plan in '" + tmpdir.string() + "'",
        k_not_prepared);
  auto sandbox = state::read_sandbox(tmpdir);
  if (!sandbox)
    throw support::OperatorError("cannot run '" + context.arguments.script_stage +
                                     "': no sandbox in '" + tmpdir.string() + "'",
                                 k_not_prepared);
  core::Script script{core::ScriptStage(context.arguments.script_stage),
                      support::read_file(context.arguments.script, agentlink::k_max_script)};
  if (context.arguments.resume) {
    script.resume = agentlink::parse_resume(*context.arguments.resume);
    if (!script.resume)
      throw support::OperatorError(
          "--resume: '" + *context.arguments.resume + "' is not <stage id>:<offset>",
          "berth-run gives this argument, nobody else");
  }
  return {std::move(*spec), std::move(*sandbox), std::move(script)};
}

}  // namespace berth::stages
