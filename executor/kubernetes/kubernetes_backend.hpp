#pragma once

#include "executor/core/backend.hpp"
#include "executor/kubernetes/options.hpp"

#include <memory>

namespace berth::kubernetes {

/// The Backend on a Kubernetes cluster: one pod per job. The cluster is not
/// spoken to, nor its kubeconfig read, before it is needed.
std::unique_ptr<core::Backend> make_backend(BackendOptions options);

}  // namespace berth::kubernetes
