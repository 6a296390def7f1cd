#pragma once

#include "executor/settings/kubernetes.hpp"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace berth::kubernetes {

/// Applies `pod_spec` of the settings to a PodSpec, in order. merge is RFC 7386,
/// json RFC 6902, strategic strategic_merge.hpp. Throws OperatorError that names
/// the patch.
void apply_patches(nlohmann::json& pod_spec, const std::vector<settings::PodSpecPatch>& patches);

}  // namespace berth::kubernetes
