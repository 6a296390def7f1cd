#pragma once

#include "executor/core/job.hpp"

#include <filesystem>
#include <string_view>

namespace berth::gitlab {

/// The job as GitLab sent it (gitlab-runner, common/spec/spec.go). Unknown keys
/// are ignored, null lists are empty lists, a missing group leaves its
/// defaults: only an object with an `id` is asked for. What is there must have
/// its type. Throws SystemError that names file and place, never content.
core::Job parse_job_response(std::string_view json, std::string_view file_name);

/// Reads JOB_RESPONSE_FILE. Throws SystemError; also where `file` is empty.
core::Job read_job_response(const std::filesystem::path& file);

}  // namespace berth::gitlab
