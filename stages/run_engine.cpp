#include "executor/app/backends.hpp"
#include "executor/app/deployment.hpp"
#include "executor/settings/settings.hpp"
#include "stages/run_deployment.hpp"
#include "stages/run_hints.hpp"
#include "stages/run_input.hpp"
#include "stages/run_log.hpp"
#include "stages/stage_main.hpp"

#include <unistd.h>

namespace {

using namespace berth;

core::ExitStatus run_script(stages::StageContext& context) {
  // berth-run has run it.
  if (context.arguments.ended) return stages::parse_status(*context.arguments.ended);
  const stages::RunInput input = stages::read_run_input(context);
  stages::JobLog job_log(STDOUT_FILENO, context.stop);
  stages::DeploymentLog watched(job_log, context);
  stages::RememberingLog log(watched);
  const core::ExitStatus status =
      app::make_backend(input.spec.backend, settings::load(context.arguments.settings))
          ->run(input.spec, input.sandbox, input.script, log, context.console, context.stop);
  stages::give_hints(input.script.stage, status, input.sandbox, log.tail(), context.console);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return stages::stage_main(core::Stage::run, argc, argv, [](stages::StageContext& context) {
    return stages::run_deployment(context, run_script, [&](const core::ExitStatus& status) {
      return app::conclude_script({.settings = context.arguments.settings,
                                   .environment = context.environment,
                                   .console = context.console,
                                   .stop = context.stop},
                                  status);
    });
  });
}
