#pragma once

#include <span>
#include <string_view>

namespace berth::local {

/// Where a job stands, in GitLab's words.
enum class Status { created, manual, running, success, failed, canceled, skipped };

std::string_view to_string(Status status);

struct JobStatus {
  Status status = Status::created;
  bool allow_failure = false;
};

/// What several jobs come to, as GitLab works it out (gitlab,
/// lib/gitlab/ci/status/composite.rb). `needs`: the jobs are the needs of one
/// job, and not all of earlier stages. No jobs: skipped is false, success.
/// The answer `running` also stands for GitLab's pending and created.
Status composite(std::span<const JobStatus> jobs, bool needs);

}  // namespace berth::local
