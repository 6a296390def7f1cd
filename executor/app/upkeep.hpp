#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/console.hpp"

#include <memory>

namespace berth::app {

/// The upkeep of the settings' backend, with the environment that make_backend()
/// looks at. `console` must outlive it. Throws OperatorError.
std::unique_ptr<core::Upkeep> make_upkeep(const settings::Settings& settings,
                                          support::Console& console);

}  // namespace berth::app
