#pragma once

#include "executor/settings/reader.hpp"

#include <string>
#include <string_view>

/// Parts of the settings that are the Kubernetes API's own objects, in the spelling
/// of config.toml (snake_case), as JSON text in the API's spelling.
namespace berth::settings {

std::string read_affinity(const Reader& reader, const Value& value);
std::string read_dns_config(const Reader& reader, const Value& value);
std::string read_lifecycle(const Reader& reader, const Value& value);

/// Any YAML value as JSON text, with YAML's types (core schema): what is not
/// quoted may be null, a boolean or a number.
std::string to_json_text(const Value& value);

}  // namespace berth::settings
