#pragma once

#include "executor/core/backend.hpp"
#include "executor/docker/options.hpp"

#include <memory>

namespace berth::docker {

/// The Backend on a Docker engine. The engine is not spoken to before it is
/// needed. Throws OperatorError where its address makes no sense.
std::unique_ptr<core::Backend> make_backend(BackendOptions options);

}  // namespace berth::docker
