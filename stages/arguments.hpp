#pragma once

#include "executor/core/stage.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace berth::stages {

/// The arguments of a stage program: the operator's *_args first, then what the
/// runner appends (run: the script's path and the stage's name).
struct Arguments {
  /// --settings FILE or --settings=FILE
  std::optional<std::filesystem::path> settings;
  /// --resume=<stage id>:<offset>; given by berth-run to berth-run-engine.
  std::optional<std::string> resume;
  /// --log-state=<descriptor>; likewise: where the log stands, in memory.
  std::optional<int> log_state;
  /// --ended=<exit status>; given by berth-run to berth-run-engine: the script of a
  /// deployment has run, and only its end is to be recorded.
  std::optional<std::string> ended;
  bool version = false;
  bool help = false;
  /// run only.
  std::filesystem::path script;
  std::string script_stage;
  bool operator==(const Arguments&) const = default;
};

/// `arguments` without the program's name. Throws OperatorError.
Arguments parse_arguments(core::Stage stage, std::span<const char* const> arguments);

/// The help text: one line.
std::string usage(core::Stage stage);

}  // namespace berth::stages
