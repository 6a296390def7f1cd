#include "executor/app/backends.hpp"
#include "executor/app/deployment.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"
#include "stages/artifact_scan.hpp"
#include "stages/masked_log.hpp"
#include "stages/run_deployment.hpp"
#include "stages/run_hints.hpp"
#include "stages/run_input.hpp"
#include "stages/run_log.hpp"
#include "stages/run_secrets.hpp"
#include "stages/stage_main.hpp"

#include <unistd.h>

namespace {

using namespace berth;

core::ExitStatus run_script(stages::StageContext& context) {
  // berth-run has run it.
  if (context.arguments.ended) return stages::parse_status(*context.arguments.ended);
  stages::RunInput input = stages::read_run_input(context);
  stages::JobLog out(STDOUT_FILENO, context.stop);
  // Behind the masks: what is remembered is what the log shows.
  stages::DeploymentLog watched(out, context);
  stages::RememberingLog shown(watched);
  stages::MaskedLog log(shown);
  stages::RunSecrets secrets(log, input.sandbox, input.script.stage.container(),
                             context.environment.tmpdir, context.console);
  input.script.note = &secrets;
  if (context.arguments.log_state) secrets.take_over(*context.arguments.log_state);
  try {
    const auto backend =
        app::make_backend(input.spec.backend, settings::load(context.arguments.settings));
    const auto run = [&](const core::Script& script, core::OutputSink& output) {
      return backend->run(input.spec, input.sandbox, script, output, context.console, context.stop);
    };
    stages::scan_artifacts(input.sandbox, input.script, context.environment, run, context.console);
    const core::ExitStatus status = run(input.script, log);
    log.finish();
    secrets.share(input.sandbox);
    stages::give_hints(input.script.stage, status, input.sandbox, shown.tail(), context.console);
    return status;
  } catch (const support::Cancelled&) {
    log.finish_quietly();
    secrets.share(input.sandbox, true);
    throw;
  } catch (...) {
    log.finish_quietly();
    throw;
  }
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
