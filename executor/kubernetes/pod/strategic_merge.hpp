#pragma once

#include <nlohmann/json_fwd.hpp>

namespace berth::kubernetes {

/// A strategic merge patch of a PodSpec
/// (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md):
/// maps merge, lists of objects with a merge key merge by it, lists of plain
/// values with strategy merge become a union, other lists are replaced; null
/// deletes. Directives: $patch (replace, delete, merge), $retainKeys,
/// $deleteFromPrimitiveList, $setElementOrder. Throws OperatorError that names
/// the place in the patch.
nlohmann::json strategic_merge(const nlohmann::json& pod_spec, const nlohmann::json& patch);

}  // namespace berth::kubernetes
