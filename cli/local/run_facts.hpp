#pragma once

#include "cli/local/git_checkout.hpp"
#include "cli/local/variables_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace berth::local {

/// What all jobs of one local pipeline share.
struct RunFacts {
  GitCheckout checkout;
  std::int64_t pipeline_id = 0;
  std::int64_t project_id = 0;
  /// ISO 8601
  std::string created_at;
  /// "http://address:port", as job containers reach this process.
  std::string server_url;
  std::string config_path = ".gitlab-ci.yml";
  bool ref_protected = true;
  std::vector<ProjectVariable> project_variables;
  /// `--variable`
  std::vector<core::Variable> pipeline_variables;
};

/// CI_* of pipeline, commit, project and server, as GitLab predefines them.
std::vector<core::Variable> pipeline_predefined(const RunFacts& facts);
/// CI_JOB_ID, CI_JOB_TOKEN, CI_REPOSITORY_URL and the like.
std::vector<core::Variable> job_predefined(const RunFacts& facts, std::int64_t job_id,
                                           const std::string& token, const std::string& started_at,
                                           bool manual);

/// Lower case, `-` for all but letters and digits, at most 63 characters, no `-`
/// at the ends: GitLab's CI_COMMIT_REF_SLUG.
std::string slug(const std::string& text);
/// This moment in ISO 8601, UTC.
std::string iso_now();
/// The address with the job's token in it.
std::string repository_url(const RunFacts& facts, const std::string& token);

}  // namespace berth::local
