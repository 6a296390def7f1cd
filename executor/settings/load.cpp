#include "executor/settings/patch_text.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace berth::settings {
namespace {

constexpr std::size_t k_max_size = 1UL << 20U;
constexpr std::string_view k_default_file = "/etc/berth/berth.yaml";

std::filesystem::path default_state_dir(const GetEnv& getenv) {
  if (::geteuid() == 0) return "/var/lib/berth";
  const auto absolute = [&](std::string_view name) -> std::optional<std::filesystem::path> {
    const std::optional<std::string> value = getenv(name);
    if (!value || !value->starts_with('/')) return std::nullopt;
    return *value;
  };
  if (const auto state = absolute("XDG_STATE_HOME")) return *state / "berth";
  if (const auto home = absolute("HOME")) return *home / ".local/state/berth";
  throw support::OperatorError("no place to keep state: neither XDG_STATE_HOME nor HOME is set",
                               "set state_dir in berth.yaml");
}

std::string read_settings(const std::filesystem::path& file, std::string_view source) {
  try {
    return support::read_file(file, k_max_size);
  } catch (const support::Error& error) {
    throw support::OperatorError(fmt::format("{}: the settings given by {}", error.what(), source));
  }
}

/// The engine takes a profile's text, not its path (as the docker command does).
void inline_seccomp_profiles(Docker& docker) {
  constexpr std::string_view k_prefix = "seccomp=";
  for (std::string& option : docker.security_opt) {
    const std::string value =
        option.starts_with(k_prefix) ? option.substr(k_prefix.size()) : std::string();
    if (value.empty() || value == "unconfined" || value == "builtin" || value.starts_with('{')) {
      continue;
    }
    try {
      option = std::string(k_prefix) + support::read_file(value, k_max_size);
    } catch (const support::Error& error) {
      throw support::OperatorError(
          fmt::format("{}: the seccomp profile of 'security_opt'", error.what()));
    }
  }
}

void read_patch_files(Kubernetes& kubernetes) {
  for (PodSpecPatch& patch : kubernetes.pod_spec) {
    if (patch.patch_path.empty()) continue;
    std::string text;
    try {
      text = support::read_file(patch.patch_path, k_max_size);
    } catch (const support::Error& error) {
      throw support::OperatorError(
          fmt::format("{}: patch_path of pod_spec '{}'", error.what(), patch.name));
    }
    patch.patch = patch_text(text, patch.patch_path, patch.type);
    patch.patch_path.clear();
  }
}

Settings read(const std::filesystem::path& file, std::string_view how_named) {
  Settings settings = parse(read_settings(file, how_named), file.native());
  settings.file = std::filesystem::absolute(file);
  return settings;
}

Settings find_and_parse(const std::optional<std::filesystem::path>& argument,
                        const GetEnv& getenv) {
  if (argument) return read(*argument, "--settings");
  if (const auto file = getenv("BERTH_SETTINGS"); file && !file->empty()) {
    return read(*file, "BERTH_SETTINGS");
  }
  if (const auto text = support::read_file_if_exists(k_default_file, k_max_size)) {
    return parse(*text, k_default_file);
  }
  return {};
}

}  // namespace

Settings load(const std::optional<std::filesystem::path>& argument, const GetEnv& getenv) {
  Settings settings = find_and_parse(argument, getenv);
  inline_seccomp_profiles(settings.docker);
  read_patch_files(settings.kubernetes);
  if (settings.state_dir.empty()) settings.state_dir = default_state_dir(getenv);
  return settings;
}

Settings load(const std::optional<std::filesystem::path>& argument) {
  return load(argument, [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

}  // namespace berth::settings
