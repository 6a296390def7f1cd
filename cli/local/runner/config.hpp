#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace berth::local::runner {

/// A program and its first arguments; the runner adds its own behind them. A
/// name without a slash is looked up in this process's PATH.
struct Command {
  std::string program{};
  std::vector<std::string> arguments{};
  bool empty() const noexcept { return program.empty(); }
};

/// `[runners.custom]`: what to start and how long to wait for it. Only `run`
/// must be set.
struct CustomConfig {
  Command config;
  Command prepare;
  Command run;
  Command cleanup;
  std::chrono::milliseconds config_timeout{std::chrono::hours{1}};
  std::chrono::milliseconds prepare_timeout{std::chrono::hours{1}};
  std::chrono::milliseconds cleanup_timeout{std::chrono::hours{1}};
  /// From SIGTERM to SIGKILL, and from there until the process is given up.
  std::chrono::milliseconds graceful_kill_timeout{std::chrono::minutes{10}};
  std::chrono::milliseconds force_kill_timeout{std::chrono::seconds{10}};
};

/// How long the runner waits between attempts; tests make these short.
struct Timing {
  std::chrono::milliseconds preparation_retry{std::chrono::seconds{3}};
  std::chrono::milliseconds stage_retry_min{std::chrono::seconds{5}};
  std::chrono::milliseconds stage_retry_max{std::chrono::minutes{5}};
  /// How long a stage may outlive the end of its job before cleanup comes.
  std::chrono::milliseconds wait_for_build_finish{std::chrono::minutes{5}};
};

/// `[[runners]]`, as far as the custom executor sees it.
struct RunnerConfig {
  std::string name = "berth local";
  /// Base address of the artifact endpoint, as the helper container reaches it.
  std::string url{};
  std::string clone_url{};
  std::string short_token = "berthlocal";
  std::string builds_dir{};
  std::string cache_dir{};
  std::string shell = "bash";
  /// `environment = ["KEY=value"]`
  std::vector<std::string> environment{};
  std::map<std::string, bool> feature_flags{};
  std::string pre_get_sources_script{};
  std::string post_get_sources_script{};
  std::string pre_build_script{};
  std::string post_build_script{};
  std::optional<std::chrono::milliseconds> prepare_timeout{};
  std::optional<std::chrono::milliseconds> get_sources_timeout{};
  bool custom_build_dir = false;
  bool safe_directory_checkout = false;
  std::optional<bool> clean_git_config{};
  bool debug_trace_disabled = false;
  int concurrent_id = 0;
  int concurrent_project_id = 0;
  /// Certificate chain of an https `url`: becomes CI_SERVER_TLS_CA_FILE.
  std::string tls_ca_chain{};
  /// The runner process's own environment, `KEY=value`.
  std::vector<std::string> process_environment{};
  /// Where TMPDIRs are made.
  std::filesystem::path temp_root = "/tmp";
  CustomConfig custom;
  Timing timing;
};

/// What the simulated runner calls itself in CI_RUNNER_* and in git's user agent.
inline constexpr const char* k_runner_version = "19.4.0";
inline constexpr const char* k_runner_revision = "berth";

}  // namespace berth::local::runner
