#pragma once

#include "executor/settings/credentials.hpp"
#include "executor/settings/reader.hpp"

namespace berth::settings {

/// `credentials:`, the same for both backends. Throws OperatorError.
void read_credentials_section(const Reader& reader, const Value& value, Credentials& credentials);

}  // namespace berth::settings
