#include "executor/state/versioned_json.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace berth::state {
namespace {

constexpr std::size_t k_max_size = 16UL << 20U;

}  // namespace

nlohmann::json parse_versioned(std::string_view text, int version, std::string_view name) {
  nlohmann::json root = support::parse_json(text, name);
  const auto found = root.is_object() ? root.find("version") : root.end();
  if (found == root.end() || !found->is_number_integer()) {
    throw support::SystemError(fmt::format("not a state file of Berth: '{}': no version", name));
  }
  if (*found != version) {
    throw support::SystemError(
        fmt::format("state of another version of Berth: '{}': it has version {}, not {}", name,
                    found->dump(), version),
        "let running jobs end before you exchange Berth's programs");
  }
  return root;
}

std::filesystem::path state_file(const std::filesystem::path& tmpdir, std::string_view name) {
  if (tmpdir.empty()) {
    throw support::SystemError("TMPDIR is not set",
                               "GitLab Runner's custom executor sets it for each attempt");
  }
  return tmpdir / name;
}

std::optional<std::string> read_state_file(const std::filesystem::path& file) {
  return support::read_file_if_exists(file, k_max_size);
}

}  // namespace berth::state
