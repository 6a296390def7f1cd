#pragma once

#include "cli/local/pipeline/read_job.hpp"

#include <set>
#include <string>
#include <vector>

namespace berth::local::pipeline {

/// Stages in order, `.pre` and `.post` around them.
std::vector<std::string> read_stages(const Value& root, Problems& problems);

/// Checks what jobs say of each other, those left out by rules included: stages,
/// needs, dependencies, environment:on_stop (YamlProcessor's logical checks).
void check_relations(const std::vector<JobWords>& jobs, const std::vector<std::string>& stages,
                     Problems& problems);

/// Puts the jobs that take part in order, resolves needs and the jobs whose
/// artifacts each gets. Problems: a need that is left out, a circle of needs, no
/// job to run.
Pipeline arrange(std::vector<JobWords> jobs, const std::vector<std::string>& stages,
                 const Place& file, Problems& problems);

}  // namespace berth::local::pipeline
