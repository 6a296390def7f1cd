#pragma once

#include "tests/bench/results.hpp"

#include <filesystem>

namespace berth::bench {

/// On the engine of DOCKER_HOST, with the programs in `bin`; `folder` is for
/// files of its own.
Results measure_docker(const std::filesystem::path& bin, const std::filesystem::path& folder,
                       int runs);

/// Jobs with a Docker daemon beside them: from the start of the daemon's container to
/// the end of the client's first try in the job.
Results measure_docker_daemons(const std::filesystem::path& bin,
                               const std::filesystem::path& folder, int runs);

}  // namespace berth::bench
