#pragma once

#include "executor/settings/document.hpp"

#include <optional>
#include <string>

namespace berth::settings {

/// Where a second document of a YAML text begins, if one does. Reads no further, and
/// makes no values: in yaml-cpp 0.7 a text such as ",a: 1" has documents without end,
/// which LoadAll never comes back from. Throws YAML::Exception, with its mark, for
/// what is not YAML up to the end of the second document.
std::optional<Position> second_document(const std::string& yaml);

}  // namespace berth::settings
