#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/docker/options.hpp"

#include <memory>

namespace berth::docker {

/// Upkeep of a Docker engine. `helper_image` is what removes what the runner's user
/// may not (forget_attempt.hpp). The engine is not spoken to before it is needed.
/// Throws OperatorError where its address makes no sense.
std::unique_ptr<core::Upkeep> make_upkeep(BackendOptions options, std::string helper_image);

}  // namespace berth::docker
