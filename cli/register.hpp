#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace berth::cli {

struct RegisterOptions {
  std::string url = "https://gitlab.example.com";
  std::string name = "berth";
  /// Empty: the programs use their default settings file.
  std::filesystem::path settings;
  /// Where the four programs lie; absolute.
  std::filesystem::path programs;
  int concurrent = 4;
};

/// The `gitlab-runner register` command, as lines for a shell. The token is
/// read from the environment: it must not stand in an argument.
std::string register_command(const RegisterOptions& options);

/// The sections of config.toml that the command makes, and what a runner with
/// Berth needs beside them. runner-config/config.toml is this text for an
/// installation in /usr.
std::string config_toml(const RegisterOptions& options);

/// Checks that the programs are there, prints both. Gives the exit code.
/// Throws support::OperatorError naming what is missing.
int run_register(RegisterOptions options);

/// The directory of this program's siblings: where berth-config and the others
/// lie, beside `berth` itself or in the installation's libexec.
std::filesystem::path find_programs();

}  // namespace berth::cli
