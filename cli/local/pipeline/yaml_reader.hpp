#pragma once

#include "cli/local/pipeline/problems.hpp"
#include "cli/local/pipeline/yaml_value.hpp"

#include <string>

namespace berth::local::pipeline {

/// Reads one YAML document as GitLab's reader (Psych) does:
/// - of a key that stands twice the last value wins (a warning is noted);
/// - a merge key `<<` acts where it stands: it overrides what is above it in the
///   same map and is overridden by what is below; in a list of maps the first
///   wins;
/// - plain scalars by YAML 1.1 (resolve_scalar); dates are refused;
/// - tags: `!reference` and the plain YAML ones; any other is a problem.
/// Several documents (and so a `spec:` header) are a problem, as is a top level
/// that is no map. Where the text cannot be read at all, the result is null and
/// a problem was added.
ValuePtr read_yaml(const std::string& file, const std::string& text, Problems& problems);

}  // namespace berth::local::pipeline
