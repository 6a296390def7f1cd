#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/job_spec.hpp"
#include "stages/stage_main.hpp"

namespace berth::stages {

/// What berth-run and berth-run-engine both read: the plan and the sandbox that
/// earlier stages left in TMPDIR, and the script.
struct RunInput {
  core::JobSpec spec;
  core::Sandbox sandbox;
  core::Script script;
};

/// Throws SystemError where config or prepare left nothing or the script cannot
/// be read, OperatorError where --resume is malformed.
RunInput read_run_input(const StageContext& context);

}  // namespace berth::stages
