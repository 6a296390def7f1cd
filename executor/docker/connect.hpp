#pragma once

#include "executor/docker/engine/engine.hpp"
#include "executor/docker/options.hpp"

namespace berth::docker {

/// The address that settings and environment name, and how it is spoken to. Throws
/// OperatorError where it makes no sense.
EngineAddress engine_address(const BackendOptions& options);
EngineOptions engine_options(const BackendOptions& options);

}  // namespace berth::docker
