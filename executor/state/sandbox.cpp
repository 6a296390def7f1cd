#include "executor/state/sandbox.hpp"

#include "executor/state/versioned_json.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

namespace berth::state {
namespace {

constexpr int k_version = 1;
constexpr std::string_view k_file = "sandbox.json";

}  // namespace

std::string encode_sandbox(const core::Sandbox& sandbox) {
  const nlohmann::ordered_json json{
      {"version", k_version}, {"backend", sandbox.backend}, {"values", sandbox.values}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

core::Sandbox decode_sandbox(std::string_view text, std::string_view name) {
  const nlohmann::json root = parse_versioned(text, k_version, name);
  try {
    return {.backend = root.at("backend").get<std::string>(),
            .values = root.at("values").get<std::map<std::string, std::string>>()};
  } catch (const nlohmann::json::exception& error) {
    throw support::json_error(error, name);
  }
}

void write_sandbox(const std::filesystem::path& tmpdir, const core::Sandbox& sandbox) {
  support::write_file_atomically(state_file(tmpdir, k_file), encode_sandbox(sandbox));
}

std::optional<core::Sandbox> read_sandbox(const std::filesystem::path& tmpdir) {
  const std::filesystem::path file = state_file(tmpdir, k_file);
  const std::optional<std::string> text = read_state_file(file);
  if (!text) return std::nullopt;
  return decode_sandbox(*text, file.native());
}

}  // namespace berth::state
