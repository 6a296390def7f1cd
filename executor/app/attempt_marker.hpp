#pragma once

#include <filesystem>

namespace berth::app {

/// TMPDIR/unfinished: prepare has begun to make things, and has not recorded
/// what. Cleanup then goes by labels, since a request whose sender was killed may
/// still be carried out. Throws SystemError.
void mark_unfinished(const std::filesystem::path& tmpdir);
void mark_finished(const std::filesystem::path& tmpdir);
bool is_unfinished(const std::filesystem::path& tmpdir);

}  // namespace berth::app
