#pragma once

#include <string>
#include <string_view>

namespace berth::local {

/// berth.yaml with `pull_policy: if-not-present` put into its backend's section
/// where that names none: whoever runs a pipeline at hand has images of their
/// own making. All else stays as it is written. `name` stands in errors; throws
/// support::OperatorError where the text is not YAML.
std::string with_default_pull_policy(std::string_view yaml, std::string_view name);

}  // namespace berth::local
