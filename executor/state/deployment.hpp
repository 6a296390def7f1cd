#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace berth::state {

/// TMPDIR/deployment.json: there where the job is a deployment that wants, or has, the
/// lock of its environment; for the stages that follow.
struct DeploymentState {
  std::string environment{};
  /// The claim, and the record in the ledger.
  std::string id{};
  /// What the programs of the job touch (executor/environments/heartbeat.hpp).
  std::filesystem::path heartbeat{};
  /// How often.
  std::chrono::milliseconds interval{};
  bool operator==(const DeploymentState&) const = default;
};

/// Mode 0600, whole or not at all. Throws SystemError.
void write_deployment(const std::filesystem::path& tmpdir, const DeploymentState& deployment);

/// Nothing where the job is none. Throws SystemError where the file is damaged.
std::optional<DeploymentState> read_deployment(const std::filesystem::path& tmpdir);

/// Notes that the job's own script begins, and asks whether that was noted.
void mark_script_begun(const std::filesystem::path& tmpdir);
bool has_script_begun(const std::filesystem::path& tmpdir);

std::string encode_deployment(const DeploymentState& deployment);
/// `name` stands in errors.
DeploymentState decode_deployment(std::string_view json, std::string_view name);

}  // namespace berth::state
