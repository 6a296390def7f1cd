#pragma once

#include <filesystem>
#include <string_view>

/// Files that a power cut must not lose. All throw SystemError.
namespace berth::environments {

/// As support::write_file_atomically, and on disk when it returns.
void write_durably(const std::filesystem::path& file, std::string_view content);

/// Appends with one write, and syncs. Where the file does not end a line, ends it first.
void append_durably(const std::filesystem::path& file, std::string_view line);

/// Syncs a directory: names that were made or exchanged in it.
void sync_directory(const std::filesystem::path& directory);

}  // namespace berth::environments
