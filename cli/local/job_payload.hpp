#pragma once

#include "cli/local/pipeline/pipeline.hpp"
#include "cli/local/run_facts.hpp"
#include "cli/local/runner/payload.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace berth::local {

/// One run of one job.
struct JobRun {
  std::int64_t id = 0;
  std::string token{};
  /// Of the jobs it gets artifacts from, in that order.
  std::vector<runner::Dependency> dependencies{};
  /// Of their dotenv reports.
  std::vector<std::pair<std::string, std::string>> dotenv{};
};

/// The job as GitLab would hand it to the runner. Variables stand in GitLab's
/// order and are expanded as far as GitLab expands them.
runner::Payload make_payload(const pipeline::Job& job, const RunFacts& facts, const JobRun& run);

/// The values that must not show in the job's log: masked variables of at least
/// eight characters (GitLab masks no shorter ones) and the job's token.
std::vector<std::string> secrets_of(const runner::Payload& payload);

}  // namespace berth::local
