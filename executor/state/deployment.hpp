#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::state {

/// TMPDIR/deployment.json: there where the job is a deployment that wants, or has, the
/// lock of its environment; for the stages that follow.
struct DeploymentState {
  /// Path of the project whose environment it is.
  std::string project{};
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

/// Notes that the job's own script begins; the first time counts.
void mark_script_begun(const std::filesystem::path& tmpdir);
/// When it did, by this machine's clock, in seconds since the epoch; nothing: it has not.
std::optional<std::int64_t> script_begun_at(const std::filesystem::path& tmpdir);

/// Notes what the script's output told of Jobs that kubectl could not change.
void write_immutable_jobs(const std::filesystem::path& tmpdir,
                          const std::vector<std::string>& names);
/// None where nothing was noted.
std::vector<std::string> read_immutable_jobs(const std::filesystem::path& tmpdir);

/// TMPDIR/environment-before.json: what stood in the environment before the script. It may
/// hold what authors wrote into `env`: mode 0600, and gone with remove_snapshot().
void write_snapshot(const std::filesystem::path& tmpdir, std::string_view json);
/// Nothing where nobody looked.
std::optional<std::string> read_snapshot(const std::filesystem::path& tmpdir);
/// None is success, and so is one that cannot be removed: the runner removes TMPDIR.
void remove_snapshot(const std::filesystem::path& tmpdir);

std::string encode_deployment(const DeploymentState& deployment);
/// `name` stands in errors.
DeploymentState decode_deployment(std::string_view json, std::string_view name);

}  // namespace berth::state
