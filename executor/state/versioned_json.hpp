#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace berth::state {

/// Parses a state file and checks its "version" before anything else is read.
/// Throws SystemError.
nlohmann::json parse_versioned(std::string_view text, int version, std::string_view name);

/// The file's path. Throws SystemError where TMPDIR is not set.
std::filesystem::path state_file(const std::filesystem::path& tmpdir, std::string_view name);

/// The file's content, or nothing where it does not exist. Throws SystemError.
std::optional<std::string> read_state_file(const std::filesystem::path& file);

}  // namespace berth::state
