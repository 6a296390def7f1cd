#pragma once

#include "executor/environments/deployment.hpp"

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

/// The file ledger's history of one environment. The caller sees to it that one process
/// at a time changes it; reading needs no such care.
namespace berth::environments {

/// The deployments of a journal's text, newest first. Lines that are torn or damaged
/// are skipped; the last line counts only when it is ended. Pure.
std::vector<Deployment> parse_journal(std::string_view text, std::string_view name);

/// parse_journal() of a file; nothing where there is none. Throws SystemError.
std::vector<Deployment> read_journal(const std::filesystem::path& file);

/// Adds a line, and syncs it. Throws SystemError.
void append_to_journal(const std::filesystem::path& file, const Deployment& deployment);

/// Puts a journal of these (newest first) in its place, synced.
void rewrite_journal(const std::filesystem::path& file, const std::vector<Deployment>& all);

}  // namespace berth::environments
