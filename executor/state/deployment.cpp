#include "executor/state/deployment.hpp"

#include "executor/state/versioned_json.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <sys/stat.h>

namespace berth::state {
namespace {

constexpr int k_version = 1;
constexpr std::string_view k_file = "deployment.json";
constexpr std::string_view k_begun = "deployment.begun";
constexpr std::string_view k_immutable = "deployment.jobs.json";
constexpr std::string_view k_snapshot = "environment-before.json";
/// A namespace's manifests are more than other state.
constexpr std::size_t k_max_snapshot = std::size_t{64} << 20;

}  // namespace

std::string encode_deployment(const DeploymentState& deployment) {
  const nlohmann::ordered_json json{{"version", k_version},
                                    {"project", deployment.project},
                                    {"environment", deployment.environment},
                                    {"id", deployment.id},
                                    {"heartbeat", deployment.heartbeat.native()},
                                    {"interval_ms", deployment.interval.count()}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

DeploymentState decode_deployment(std::string_view text, std::string_view name) {
  const nlohmann::json root = parse_versioned(text, k_version, name);
  try {
    return {.project = root.at("project").get<std::string>(),
            .environment = root.at("environment").get<std::string>(),
            .id = root.at("id").get<std::string>(),
            .heartbeat = root.at("heartbeat").get<std::string>(),
            .interval = std::chrono::milliseconds(root.at("interval_ms").get<std::int64_t>())};
  } catch (const nlohmann::json::exception& error) {
    throw support::json_error(error, name);
  }
}

void write_deployment(const std::filesystem::path& tmpdir, const DeploymentState& deployment) {
  support::write_file_atomically(state_file(tmpdir, k_file), encode_deployment(deployment));
}

std::optional<DeploymentState> read_deployment(const std::filesystem::path& tmpdir) {
  const std::filesystem::path file = state_file(tmpdir, k_file);
  const std::optional<std::string> text = read_state_file(file);
  if (!text) return std::nullopt;
  return decode_deployment(*text, file.native());
}

void mark_script_begun(const std::filesystem::path& tmpdir) {
  if (script_begun_at(tmpdir)) return;
  support::write_file_atomically(state_file(tmpdir, k_begun), "");
}

std::optional<std::int64_t> script_begun_at(const std::filesystem::path& tmpdir) {
  struct stat info {};
  if (::lstat(state_file(tmpdir, k_begun).c_str(), &info) != 0) return std::nullopt;
  return info.st_mtim.tv_sec;
}

void write_immutable_jobs(const std::filesystem::path& tmpdir,
                          const std::vector<std::string>& names) {
  const nlohmann::json json{{"version", k_version}, {"names", names}};
  support::write_file_atomically(
      state_file(tmpdir, k_immutable),
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::vector<std::string> read_immutable_jobs(const std::filesystem::path& tmpdir) {
  const std::filesystem::path file = state_file(tmpdir, k_immutable);
  const std::optional<std::string> text = read_state_file(file);
  if (!text) return {};
  const nlohmann::json root = parse_versioned(*text, k_version, file.native());
  try {
    return root.at("names").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw support::json_error(error, file.native());
  }
}

void write_snapshot(const std::filesystem::path& tmpdir, std::string_view json) {
  support::write_file_atomically(state_file(tmpdir, k_snapshot), json);
}

std::optional<std::string> read_snapshot(const std::filesystem::path& tmpdir) {
  return support::read_file_if_exists(state_file(tmpdir, k_snapshot), k_max_snapshot);
}

void remove_snapshot(const std::filesystem::path& tmpdir) {
  // With what a killed write has left: files of the same name and more.
  std::error_code error;
  std::filesystem::directory_iterator entry(tmpdir, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().native().starts_with(k_snapshot))
      std::filesystem::remove(entry->path(), ignored);
  }
}

}  // namespace berth::state
