#pragma once

#include "cli/local/pipeline/problems.hpp"
#include "cli/local/pipeline/yaml_value.hpp"

namespace berth::local::pipeline {

/// `over` on top of `base`: maps are merged key by key, to any depth; everything
/// else, lists included, is replaced (Hash#deep_merge).
ValuePtr deep_merge(const ValuePtr& base, const ValuePtr& over);

/// Top-level keys that are no jobs. The map kept in order of GitLab's reference.
bool is_reserved(std::string_view key);

/// Resolves `extends` of every job and hidden job: several bases from left to
/// right, each extended first, up to 11 levels (Extendable::Entry). Not able to
/// see into !reference, which is resolved later, as in GitLab.
ValuePtr resolve_extends(const ValuePtr& root, Problems& problems);

/// Replaces every !reference [a, b, c] by what stands at that path of `root`,
/// itself resolved. A path that does not exist, or that holds null or false, is a
/// problem, as in GitLab; so is a circle.
ValuePtr resolve_references(const ValuePtr& root, Problems& problems);

}  // namespace berth::local::pipeline
