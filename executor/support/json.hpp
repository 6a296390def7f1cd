#pragma once

#include "executor/support/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace berth::support {

/// Parses one JSON value. Throws SystemError
/// `not valid JSON: '<what>': line 3, column 7: <reason>`; the message never
/// quotes the text, which may hold secrets.
nlohmann::json parse_json(std::string_view text, std::string_view what);

/// What to throw for a nlohmann exception met while values are taken out of
/// `what`: names the place and the types, not the content.
SystemError json_error(const std::exception& error, std::string_view what);

}  // namespace berth::support
