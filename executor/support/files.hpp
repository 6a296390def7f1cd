#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace berth::support {

/// The whole content of a regular file or pipe. Follows links.
/// Throws SystemError `cannot read: '<path>': <reason>`; a file larger than
/// `limit` bytes is refused, never cut.
std::string read_file(const std::filesystem::path& path, std::size_t limit);

/// As read_file, but nothing where the file (or its directory) does not exist.
std::optional<std::string> read_file_if_exists(const std::filesystem::path& path,
                                               std::size_t limit);

/// Writes a sibling with a random name, then renames it over `path`: a reader
/// sees the old or the new content, never a part. Not synced to disk: what it
/// is used for does not outlive a reboot. Throws SystemError.
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           mode_t mode = 0600);

/// `bytes` bytes of the kernel's random numbers, as 2 x bytes hexadecimal digits.
std::string random_hex(std::size_t bytes);

/// Writes everything or throws SystemError `cannot write: '<what>': <reason>`.
/// Waits where the descriptor is non-blocking.
void write_all(int fd, std::string_view bytes, std::string_view what);

/// The system's words for an errno value, without locale. Thread-safe.
std::string errno_text(int error);

}  // namespace berth::support
