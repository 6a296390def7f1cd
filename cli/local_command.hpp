#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace berth::cli {

/// Of LocalOptions::output_limit: a tebibyte.
inline constexpr std::uint64_t k_max_output_limit = std::uint64_t{1} << 30;

/// What was asked of `berth local`.
struct LocalOptions {
  /// Names; empty is the whole pipeline.
  std::vector<std::string> jobs;
  bool list = false;
  std::string file = ".gitlab-ci.yml";
  /// KEY=VALUE
  std::vector<std::string> variables;
  std::filesystem::path variables_file;
  std::filesystem::path settings;
  std::filesystem::path programs;
  std::string address;
  bool manual = false;
  bool keep = false;
  int parallel = 2;
  std::filesystem::path report;
  std::filesystem::path logs;
  /// KiB of each job's log; 0 is all of it.
  std::uint64_t output_limit = 0;
  std::string ref;
  bool ref_protected = true;
};

/// Runs the pipeline of the checkout that the current directory lies in.
/// Exit code: 0 it passed, 1 it failed, 130 it was cancelled. Throws
/// support::Error when it cannot begin (no checkout, not a pipeline, ...).
int run_local(const LocalOptions& options);

}  // namespace berth::cli
