// A stage program whose second argument says what its body does.

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "stages/stage_main.hpp"

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

using namespace berth;

void wait_for_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, stop, [] { return false; });
}

void say(std::string_view text) {
  support::write_all(STDOUT_FILENO, text, "standard output");
}

core::ExitStatus body(stages::StageContext& context) {
  const std::string& what = context.arguments.script_stage;
  if (what == "ok") return {};
  if (what == "exit 42") return {.how = core::Exited{42}};
  if (what == "killed") return {.how = core::Signalled{SIGKILL}, .oom_kills = 1};
  if (what == "job") throw support::JobError("image not allowed: 'x'", "use another");
  if (what == "operator") throw support::OperatorError("berth.yaml:1:1: unknown key 'x'");
  if (what == "system") throw support::SystemError("engine gone");
  if (what == "defect") throw std::logic_error("impossible");
  if (what == "wait") {
    say("ready\n");
    wait_for_stop(context.stop);
    throw support::Cancelled();
  }
  if (what == "pipe") {
    // Nobody reads: EPIPE, not SIGPIPE.
    for (;;) say("x");
  }
  if (what == "hand over") {
    context.hand_over_signals();
    context.hand_over_signals();
    ::raise(SIGTERM);
    sigset_t pending;
    ::sigpending(&pending);
    say(sigismember(&pending, SIGTERM) == 1 && !context.stop.stop_requested() ? "pending\n"
                                                                              : "lost\n");
    return {};
  }
  throw std::logic_error("unknown probe");
}

}  // namespace

int main(int argc, char** argv) {
  return berth::stages::stage_main(berth::core::Stage::run, argc, argv, body);
}
