#pragma once

#include "executor/core/backend.hpp"
#include "executor/credentials/registry_logins.hpp"

#include <filesystem>
#include <stop_token>

namespace berth::credentials {

/// The registry logins that prepare has for a job: of its variable
/// DOCKER_AUTH_CONFIG, or of this process's where the job has none, of `home` and
/// of the payload. Faults and warnings are those of load_registry_logins(); the
/// console gets the warnings.
RegistryLogins load_job_logins(const core::PrepareInput& input, const std::filesystem::path& home,
                               core::Console& console, const std::stop_token& stop);

}  // namespace berth::credentials
