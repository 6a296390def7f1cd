#pragma once

#include "executor/core/backend.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace berth::state {

/// TMPDIR/sandbox.json: where the job's containers are, for run and cleanup.

/// Mode 0600, whole or not at all. Throws SystemError, also for an empty path.
void write_sandbox(const std::filesystem::path& tmpdir, const core::Sandbox& sandbox);

/// Nothing where prepare did not end. Throws SystemError where the file is
/// damaged or of another version of Berth.
std::optional<core::Sandbox> read_sandbox(const std::filesystem::path& tmpdir);

std::string encode_sandbox(const core::Sandbox& sandbox);
/// `name` stands in errors.
core::Sandbox decode_sandbox(std::string_view json, std::string_view name);

}  // namespace berth::state
