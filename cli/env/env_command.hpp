#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

/// `berth env`: what operators see and say of deploy environments.
namespace berth::cli {

/// Every verb has these.
struct EnvOptions {
  std::filesystem::path settings{};
  bool json = false;
  /// Not for list.
  std::string environment{};
  /// Path of the project whose it is; empty: the only one that has it, and for locks all.
  std::string project{};
};

struct EnvHistoryOptions : EnvOptions {
  /// 0: all that is kept.
  std::size_t limit = 20;
};

struct EnvLockOptions : EnvOptions {
  std::string reason{};
  /// "2h"; empty: until it is unlocked.
  std::string duration{};
};

/// Of the project's pipeline.
struct EnvApproveOptions : EnvOptions {
  std::int64_t pipeline = 0;
  std::string comment{};
  /// Whose approval it is; only root may say so. Empty: the account's own.
  std::string user{};
};

// Each returns the exit code and throws support::Error.

int run_env_list(const EnvOptions& options);
int run_env_show(const EnvOptions& options);
int run_env_history(const EnvHistoryOptions& options);
int run_env_lock(const EnvLockOptions& options);
int run_env_unlock(const EnvOptions& options);
int run_env_approve(const EnvApproveOptions& options);

/// The account that a command is run for: behind sudo the one that called it. Throws
/// OperatorError where it has no name.
std::string operator_account();

}  // namespace berth::cli
