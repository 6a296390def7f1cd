#pragma once

#include "executor/settings/reader.hpp"
#include "executor/settings/settings.hpp"

namespace berth::settings {

/// The `docker` map: fills policy and docker. Throws OperatorError.
void read_docker_section(const Reader& reader, const Value& value, core::Policy& policy,
                         Docker& docker);

}  // namespace berth::settings
