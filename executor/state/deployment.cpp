#include "executor/state/deployment.hpp"

#include "executor/state/versioned_json.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>

namespace berth::state {
namespace {

constexpr int k_version = 1;
constexpr std::string_view k_file = "deployment.json";
constexpr std::string_view k_begun = "deployment.begun";

}  // namespace

std::string encode_deployment(const DeploymentState& deployment) {
  const nlohmann::ordered_json json{{"version", k_version},
                                    {"environment", deployment.environment},
                                    {"id", deployment.id},
                                    {"heartbeat", deployment.heartbeat.native()},
                                    {"interval_ms", deployment.interval.count()}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

DeploymentState decode_deployment(std::string_view text, std::string_view name) {
  const nlohmann::json root = parse_versioned(text, k_version, name);
  try {
    return {.environment = root.at("environment").get<std::string>(),
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
  support::write_file_atomically(state_file(tmpdir, k_begun), "");
}

bool has_script_begun(const std::filesystem::path& tmpdir) {
  std::error_code ignored;
  return std::filesystem::exists(state_file(tmpdir, k_begun), ignored);
}

}  // namespace berth::state
