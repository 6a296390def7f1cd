#pragma once

#include "executor/settings/kubernetes.hpp"
#include "executor/settings/reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::settings {

/// `pod_spec`
std::vector<PodSpecPatch> read_pod_spec(const Reader& reader, const Value& value);

/// A patch written as YAML (or JSON), as JSON text: a list of operations for type
/// json, else a map. Throws OperatorError "<name>:<line>:<column>: ...".
std::string patch_text(std::string_view yaml, std::string_view name, PodSpecPatch::Type type);

}  // namespace berth::settings
