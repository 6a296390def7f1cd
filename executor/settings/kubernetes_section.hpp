#pragma once

#include "executor/core/planner.hpp"
#include "executor/settings/kubernetes.hpp"
#include "executor/settings/reader.hpp"

namespace berth::settings {

/// The `kubernetes` map: fills policy and kubernetes. Throws OperatorError.
void read_kubernetes_section(const Reader& reader, const Value& value, core::Policy& policy,
                             Kubernetes& kubernetes);

}  // namespace berth::settings
