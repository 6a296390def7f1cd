#pragma once

#include "executor/credentials/credential.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// Exit codes of `berth cred`. 2 is a fault of the call: no such file or variable.
constexpr int k_cred_good = 0;
/// inspect, expiry: invalid, damaged, expired, or soon to be; encode: no credential.
constexpr int k_cred_bad = 1;
/// inspect: not a credential at all.
constexpr int k_cred_none = 3;

struct CredInspectOptions {
  /// "-": standard input.
  std::string file = "-";
  /// A variable of this process's environment, in place of a file.
  std::string variable{};
  bool json = false;
};

struct CredEncodeOptions {
  std::string file = "-";
};

struct CredExpiryOptions {
  std::vector<std::string> files{};
  int days = 14;
  bool json = false;
};

/// What `inspect` tells, line by line or as JSON; never content. Pure.
std::string cred_report(std::string_view name, const credentials::Finding& finding, bool json);
int cred_exit_code(const credentials::Finding& finding);

/// What is to be known of a value before it goes into a CI variable. Pure.
std::vector<std::string> cred_remarks(std::string_view value);

/// Print; give the exit code. Throw support::Error where nothing can be read.
int run_cred_inspect(const CredInspectOptions& options);
int run_cred_encode(const CredEncodeOptions& options);
int run_cred_expiry(const CredExpiryOptions& options);

}  // namespace berth::cli
