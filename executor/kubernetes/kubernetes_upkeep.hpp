#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/kubernetes/options.hpp"
#include "executor/support/console.hpp"

#include <memory>

namespace berth::kubernetes {

/// Upkeep of a cluster. `console` is told when calls have to be repeated, and must
/// outlive it. The cluster is not spoken to, nor its kubeconfig read, before it is
/// needed.
std::unique_ptr<core::Upkeep> make_upkeep(BackendOptions options, support::Console& console);

}  // namespace berth::kubernetes
