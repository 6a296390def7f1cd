#pragma once

#include "executor/core/job_spec.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace berth::state {

/// TMPDIR/plan.json: the decision about the job, for the stages that follow.

/// Mode 0600, whole or not at all. Throws SystemError, also for an empty path.
void write_plan(const std::filesystem::path& tmpdir, const core::JobSpec& spec);

/// Nothing where config did not run (or did not get that far). Throws
/// SystemError where the file is damaged or of another version of Berth.
std::optional<core::JobSpec> read_plan(const std::filesystem::path& tmpdir);

std::string encode_plan(const core::JobSpec& spec);
/// `name` stands in errors.
core::JobSpec decode_plan(std::string_view json, std::string_view name);

}  // namespace berth::state
