#pragma once

#include "cli/local/runner/child.hpp"
#include "cli/local/runner/config.hpp"
#include "cli/local/runner/control.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace berth::local::runner {

enum class Program { config, prepare, run, cleanup };
enum class Stream { out, err };

std::string_view to_string(Program program);

/// What one start of a driver program came to.
struct CallRecord {
  Program program = Program::config;
  /// Of run_exec: the name it was given.
  std::string stage;
  /// Of the preparation: 1 to 3.
  int attempt = 1;
  std::vector<std::string> arguments;
  TimePoint started;
  TimePoint ended;
  /// Absent: it could not be started, or was given up after SIGKILL.
  std::optional<ChildEnd> end;
  /// Why it was sent SIGTERM.
  Stop stop = Stop::none;
  bool abandoned = false;
  /// Why it could not be started.
  std::string start_error;
};

/// What the runner makes of it.
struct CallFailure {
  enum class Kind {
    build,   ///< exit 1: the job's own failure, never retried
    system,  ///< everything else
  };
  Kind kind = Kind::system;
  int exit_code = 0;
  std::string message;
  bool operator==(const CallFailure&) const = default;
};

/// Starts the program and copies its output until it has ended and both pipes
/// are closed; when the scope ends it signals the process group as gitlab-runner
/// does (SIGTERM, SIGKILL after `graceful_kill_timeout`, given up
/// `force_kill_timeout` later, and never waits beyond `finish_limit` after the
/// job itself ended). `on_output` is called on this thread. Fills `record`.
void run_call(const ChildOptions& options, const CustomConfig& custom,
              std::chrono::milliseconds finish_limit, const Control& control, const Scope& scope,
              const std::function<void(Stream, std::string_view)>& on_output, CallRecord& record);

/// Exit code 1 is the job's failure with the code in `exit_code_file`; 2 the
/// system's; all else is unknown and the system's (gitlab-runner,
/// executors/custom/command). Nothing for success.
std::optional<CallFailure> judge(const CallRecord& record,
                                 const std::filesystem::path& exit_code_file);

}  // namespace berth::local::runner
