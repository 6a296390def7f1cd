#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace berth::state {

/// Names the set of runners whose jobs this process may judge dead:
/// "<random id kept in state_dir>-<device>:<inode of TMPDIR's parent>". Two
/// runners in containers that share a state folder, but not their TMPDIRs, get
/// different ones, so neither takes the other's live jobs for leftovers. Makes
/// state_dir (0700) if it is missing. Throws OperatorError where it cannot.
std::string host_id(const std::filesystem::path& state_dir, const std::filesystem::path& tmpdir);

/// Whether `host` is what host_id() gives here for that TMPDIR, which may be gone
/// itself: then its absence says that its job is over. Makes nothing.
bool is_host_of(std::string_view host, const std::filesystem::path& state_dir,
                const std::filesystem::path& tmpdir);

}  // namespace berth::state
