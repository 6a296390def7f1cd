#pragma once

#include <filesystem>

namespace berth::gitlab {

/// Writes BUILD_EXIT_CODE_FILE, which the runner reads whenever a stage returns
/// BUILD_FAILURE_EXIT_CODE: one bare decimal number. The file is one for the
/// whole job, so it is rewritten on each such failure. An empty path does
/// nothing (the runner then takes 1). Throws SystemError.
void write_build_exit_code(const std::filesystem::path& file, int code);

}  // namespace berth::gitlab
