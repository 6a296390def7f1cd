#pragma once

#include "executor/settings/kubernetes.hpp"
#include "executor/settings/reader.hpp"

#include <vector>

namespace berth::settings {

/// `volumes` of the kubernetes section: lists by kind. In the order of the file.
std::vector<KubernetesVolume> read_kubernetes_volumes(const Reader& reader, const Value& value);

}  // namespace berth::settings
