#pragma once

#include "tests/bench/results.hpp"

#include <filesystem>

namespace berth::bench {

/// On the cluster of KUBECONFIG, in a namespace made for it and removed, with
/// the programs in `bin`; `folder` is for files of its own.
Results measure_kubernetes(const std::filesystem::path& bin, const std::filesystem::path& folder,
                           int runs);

/// Jobs with a Docker daemon beside them: from all containers running to the end of
/// the client's first try in the job.
Results measure_kubernetes_daemons(const std::filesystem::path& bin,
                                   const std::filesystem::path& folder, int runs);

}  // namespace berth::bench
