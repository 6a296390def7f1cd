#include "stages/stage_main.hpp"

#include "executor/core/failure_policy.hpp"
#include "executor/gitlab/build_exit_code.hpp"
#include "executor/support/core_dump.hpp"
#include "executor/support/error.hpp"
#include "executor/support/version.hpp"
#include "stages/signals.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace berth::stages {
namespace {

using core::Outcome;

void report(support::StreamConsole& console, support::Fault fault, std::string_view message,
            std::string_view hint) {
  console.error(fmt::format("{} error: {}", core::to_string(fault), message), hint);
}

/// The stage, without its last step.
core::ExitStatus run_stage(core::Stage stage, int argc, char** argv,
                           const gitlab::RunnerEnvironment& environment, support::Console& console,
                           const StageBody& body) {
  const std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
  const Arguments arguments = parse_arguments(stage, all.subspan(argc > 0 ? 1 : 0));
  if (arguments.help || arguments.version) {
    fmt::print("{}\n", arguments.help
                           ? usage(stage)
                           : fmt::format("berth-{} {}", to_string(stage), support::version()));
    return {};
  }
  SignalWatch signals;
  StageContext context{.arguments = arguments,
                       .environment = environment,
                       .console = console,
                       .stop = signals.token(),
                       .hand_over_signals = [&signals] { signals.release(); }};
  return body(context);
}

/// The one catch site: what became of the stage, reported on the console.
core::ExitStatus run_and_report(core::Stage stage, int argc, char** argv,
                                const gitlab::RunnerEnvironment& environment,
                                support::StreamConsole& console, const StageBody& body,
                                Outcome& outcome) {
  try {
    const core::ExitStatus status = run_stage(stage, argc, argv, environment, console, body);
    outcome = status.success() ? Outcome::success : Outcome::build_failure;
    if (const std::string why = core::explain(status); !why.empty()) console.line(why);
    return status;
  } catch (const support::Error& error) {
    outcome = core::outcome_of(error.fault());
    report(console, error.fault(), error.what(), error.hint());
  } catch (const support::Cancelled&) {
    // The runner knows why it stopped us, and says so in the log.
    outcome = Outcome::system_failure;
  } catch (const std::exception& error) {
    outcome = Outcome::system_failure;
    report(console, support::Fault::infrastructure,
           fmt::format("unexpected failure in berth-{}: {}", to_string(stage), error.what()),
           "this is a defect of Berth: please report it with this job's log");
  }
  return {.how = core::Exited{environment.build_failure_exit_code}};
}

}  // namespace

int stage_main(core::Stage stage, int argc, char** argv, const StageBody& body) {
  std::signal(SIGPIPE, SIG_IGN);
  support::forbid_core_dumps();
  support::StreamConsole console(STDERR_FILENO, support::color_wanted());
  const gitlab::RunnerEnvironment environment = gitlab::read_environment(environ);

  Outcome outcome = Outcome::system_failure;
  const core::ExitStatus status =
      run_and_report(stage, argc, argv, environment, console, body, outcome);
  if (outcome == Outcome::build_failure) {
    try {
      gitlab::write_build_exit_code(environment.build_exit_code_file, status.build_exit_code());
    } catch (const support::Error& error) {
      // Without the file the runner would read an earlier stage's code.
      report(console, error.fault(), error.what(), error.hint());
      outcome = Outcome::system_failure;
    }
  }
  switch (outcome) {
    case Outcome::success:
      return 0;
    case Outcome::build_failure:
      return environment.build_failure_exit_code;
    case Outcome::system_failure:
      return environment.system_failure_exit_code;
  }
  return environment.system_failure_exit_code;
}

}  // namespace berth::stages
