#pragma once

#include "cli/local/pipeline/problems.hpp"
#include "cli/local/pipeline/yaml_value.hpp"

namespace berth::local::pipeline {

/// Reads what `include:` of `root` names (local files, with wildcards `*` and
/// `**` and variables), their own includes too, and merges them in order, `root`
/// on top (External::Processor). Every other kind of include is a problem. The
/// result has no key `include`.
ValuePtr resolve_includes(const ValuePtr& root, const std::string& file, const Context& context,
                          Problems& problems);

}  // namespace berth::local::pipeline
