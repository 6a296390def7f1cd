#pragma once

#include "stages/stage_main.hpp"

namespace berth::stages {

/// config_exec: reads the job, plans it, writes plan.json, prints the answer to
/// the runner on standard output. Throws support::Error.
core::ExitStatus config_stage(StageContext& context);

}  // namespace berth::stages
