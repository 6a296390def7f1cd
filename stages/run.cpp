#include "executor/support/error.hpp"
#include "stages/run_deployment.hpp"
#include "stages/run_direct.hpp"

#include <fcntl.h>
#include <unistd.h>

/// berth-run: one script of the job, over the agent's socket.
int main(int argc, char** argv) {
  using namespace berth;
  // Looked at before any descriptor of ours could take its place.
  const bool has_log = ::fcntl(STDOUT_FILENO, F_GETFD) != -1;
  return stages::stage_main(core::Stage::run, argc, argv, [&](stages::StageContext& context) {
    if (!has_log) throw support::SystemError("cannot write the job log: standard output is closed");
    return stages::run_deployment(
        context,
        [&](stages::StageContext& inner) {
          return stages::run_direct(inner, stages::exec_engine(inner, argc, argv));
        },
        [&](const core::ExitStatus& status) -> core::ExitStatus {
          stages::exec_conclusion(context, argc, argv, status);
        });
  });
}
