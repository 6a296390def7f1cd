#pragma once

#include "executor/settings/environments.hpp"
#include "executor/settings/reader.hpp"

namespace berth::settings {

/// `environments`
Environments read_environments_section(const Reader& reader, const Value& value);

}  // namespace berth::settings
