#include "executor/app/stage_work.hpp"
#include "stages/stage_main.hpp"

int main(int argc, char** argv) {
  using namespace berth;
  return stages::stage_main(core::Stage::cleanup, argc, argv, [](stages::StageContext& context) {
    app::cleanup({.settings = context.arguments.settings,
                  .environment = context.environment,
                  .console = context.console,
                  .stop = context.stop});
    return core::ExitStatus{};
  });
}
