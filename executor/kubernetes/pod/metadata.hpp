#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/pod/pod.hpp"

#include <nlohmann/json_fwd.hpp>

namespace berth::kubernetes {

/// `metadata` of the pod: attempt_marks(), the labels and annotations that the
/// built-in executor gives its pods (so that operators' tools find these too), and
/// those of the settings, expanded. None of the last may replace one of the others.
nlohmann::json pod_metadata(const core::JobSpec& spec, const PodInputs& inputs);

}  // namespace berth::kubernetes
