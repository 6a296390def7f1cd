#pragma once

#include "executor/core/backend.hpp"
#include "executor/settings/settings.hpp"

#include <memory>
#include <string>

namespace berth::app {

/// The backend of that name ("docker", "kubernetes"). Environment of this process that it
/// looks at: HOME (registry logins), BERTH_TRACE (a file that every call of
/// engine or cluster is noted in), BERTH_TRANSPORT=exec (reach agents through the engine though
/// their sockets could be reached: for tests of that way).
/// Throws OperatorError for another name.
std::unique_ptr<core::Backend> make_backend(const std::string& name,
                                            const settings::Settings& settings);

}  // namespace berth::app
