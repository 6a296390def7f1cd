#include "cli/register.hpp"

#include "executor/support/error.hpp"
#include "executor/support/shell.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <unistd.h>
#include <vector>

namespace berth::cli {
namespace {

/// Seconds. graceful_kill stays below the five minutes after which the runner
/// goes on to cleanup although a stage still runs (gitlab-runner,
/// common/consts.go, WaitForBuildFinishTimeout). The runner reads integers only.
constexpr int k_config_timeout = 60;
constexpr int k_prepare_timeout = 1800;
constexpr int k_cleanup_timeout = 300;
constexpr int k_graceful_kill_timeout = 120;
constexpr int k_force_kill_timeout = 10;
constexpr int k_shutdown_timeout = 60;

struct Program {
  const char* stage;
  int timeout;  ///< 0: none of its own
};
constexpr std::array k_programs{Program{"config", k_config_timeout},
                                Program{"prepare", k_prepare_timeout}, Program{"run", 0},
                                Program{"cleanup", k_cleanup_timeout}};

std::string toml_quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      result.push_back(c);
    }
  }
  return result + "\"";
}

std::string program_path(const RegisterOptions& options, const char* stage) {
  return (options.programs / (std::string("berth-") + stage)).string();
}

}  // namespace

std::string register_command(const RegisterOptions& options) {
  std::vector<std::string> lines{"gitlab-runner register --non-interactive",
                                 "--url " + support::shell_quoted(options.url),
                                 "--name " + support::shell_quoted(options.name),
                                 "--executor custom",
                                 "--builds-dir /builds",
                                 "--cache-dir /cache",
                                 "--custom_build_dir-enabled"};
  for (const Program& program : k_programs) {
    lines.push_back(fmt::format("--custom-{}-exec {}", program.stage,
                                support::shell_quoted(program_path(options, program.stage))));
    if (!options.settings.empty()) {
      lines.push_back(fmt::format("--custom-{0}-args --settings --custom-{0}-args {1}",
                                  program.stage, support::shell_quoted(options.settings.string())));
    }
    if (program.timeout != 0) {
      lines.push_back(fmt::format("--custom-{}-exec-timeout {}", program.stage, program.timeout));
    }
  }
  lines.push_back(fmt::format("--custom-graceful-kill-timeout {}", k_graceful_kill_timeout));
  lines.push_back(fmt::format("--custom-force-kill-timeout {}", k_force_kill_timeout));
  return fmt::format(
      "read -rs CI_SERVER_TOKEN && export CI_SERVER_TOKEN   # the runner's token, glrt-...\n{}\n",
      fmt::join(lines, " \\\n  "));
}

std::string config_toml(const RegisterOptions& options) {
  std::string text = fmt::format(
      "concurrent = {}\n"
      "# On SIGTERM the runner gives its jobs this long to be cancelled and cleaned up.\n"
      "shutdown_timeout = {}\n\n"
      "[[runners]]\n"
      "  name = {}\n"
      "  url = {}\n"
      "  token = \"glrt-...\"\n"
      "  executor = \"custom\"\n"
      "  # Directories inside the containers; the runner wants them before it has\n"
      "  # asked the driver.\n"
      "  builds_dir = \"/builds\"\n"
      "  cache_dir = \"/cache\"\n\n"
      "  [runners.custom_build_dir]\n"
      "    enabled = true\n\n"
      "  [runners.custom]\n",
      options.concurrent, k_shutdown_timeout, toml_quoted(options.name), toml_quoted(options.url));
  for (const Program& program : k_programs) {
    text += fmt::format("    {}_exec = {}\n", program.stage,
                        toml_quoted(program_path(options, program.stage)));
    if (!options.settings.empty()) {
      text += fmt::format("    {}_args = [\"--settings\", {}]\n", program.stage,
                          toml_quoted(options.settings.string()));
    }
    if (program.timeout != 0)
      text += fmt::format("    {}_exec_timeout = {}\n", program.stage, program.timeout);
  }
  text += fmt::format(
      "    # Below the five minutes after which the runner goes on to cleanup even if\n"
      "    # a stage still runs.\n"
      "    graceful_kill_timeout = {}\n"
      "    force_kill_timeout = {}\n",
      k_graceful_kill_timeout, k_force_kill_timeout);
  return text;
}

std::filesystem::path find_programs() {
  auto own = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const auto& directory : {own, own.parent_path() / "libexec/berth"}) {
    if (::access((directory / "berth-run").c_str(), X_OK) == 0) return directory;
  }
  return own;
}

int run_register(RegisterOptions options) {
  options.programs =
      std::filesystem::absolute(options.programs.empty() ? find_programs() : options.programs);
  if (!options.settings.empty()) options.settings = std::filesystem::absolute(options.settings);
  for (const Program& program : k_programs) {
    const std::string path = program_path(options, program.stage);
    if (::access(path.c_str(), X_OK) != 0) {
      throw support::OperatorError(fmt::format("a program of the driver is missing: \"{}\"", path),
                                   "name the directory of the four programs with --programs");
    }
  }
  if (!options.settings.empty() && !std::filesystem::exists(options.settings)) {
    throw support::OperatorError(
        fmt::format("the settings file does not exist: \"{}\"", options.settings.string()));
  }
  fmt::print(
      "# Register a runner (GitLab: Settings > CI/CD > Runners > New runner):\n\n{}\n"
      "# Or put this into /etc/gitlab-runner/config.toml:\n\n{}",
      register_command(options), config_toml(options));
  return 0;
}

}  // namespace berth::cli
