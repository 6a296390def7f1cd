#pragma once

#include "executor/core/backend.hpp"
#include "executor/gitlab/environment.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>

/// What prepare and cleanup do (run: stages/run_engine): each reads what the stages
/// before it left, asks the backend, and writes what the next ones need.
/// Throws support::Error and support::Cancelled; the stages' one catch site
/// turns them into exit codes.
namespace berth::app {

struct StageInput {
  /// --settings of the stage; nothing: the usual places.
  std::optional<std::filesystem::path> settings;
  const gitlab::RunnerEnvironment& environment;
  core::Console& console;
  std::stop_token stop;
};

/// Makes the job's containers by plan.json; leaves sandbox.json.
void prepare(const StageInput& input);

/// Removes what the attempt made; by its sandbox, or by labels where prepare did
/// not finish or its files are damaged. Throws SystemError for what is left.
void cleanup(const StageInput& input);

}  // namespace berth::app
