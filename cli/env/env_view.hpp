#pragma once

#include "executor/environments/ledger.hpp"
#include "executor/settings/environments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What `berth env` prints: tables for people, JSON for programs. Pure, but for time zones.
namespace berth::cli {

/// All that is known of one environment.
struct EnvFacts {
  /// Path of the project whose it is; empty: no project has deployed there yet.
  std::string project{};
  std::string name{};
  /// Newest first.
  std::vector<environments::Deployment> history{};
  environments::LockState lock{};
  std::vector<environments::Approval> approvals{};
  settings::EnvironmentRule rule{};
};

/// Columns as wide as their widest cell; the last one is not filled up.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// "open", "frozen until Mon 2026-11-23 08:00 CET (weekend)", "locked by release-bot: ...",
/// "in use by <who>".
std::string state_words(const EnvFacts& facts, std::int64_t now);

/// The last start that succeeded and was not stopped behind it; null: nothing is known to
/// run there.
const environments::Deployment* current(const std::vector<environments::Deployment>& history);

std::string list_text(const std::vector<EnvFacts>& all, std::int64_t now);
std::string show_text(const EnvFacts& facts, std::int64_t now);
std::string history_text(const std::vector<environments::Deployment>& history);

/// Lists of objects, and one object; each ends with a newline.
std::string list_json(const std::vector<EnvFacts>& all, std::int64_t now);
std::string show_json(const EnvFacts& facts, std::int64_t now);
/// A list of deployments, newest first.
std::string history_json(const std::vector<environments::Deployment>& history);

/// "4m 10s"
std::string duration_words(std::int64_t seconds);

}  // namespace berth::cli
