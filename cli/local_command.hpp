#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace berth::cli {

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
  std::string ref;
  bool ref_protected = true;
};

/// Runs the pipeline of the checkout that the current directory lies in.
/// Exit code: 0 it passed, 1 it failed, 130 it was cancelled. Throws
/// support::Error when it cannot begin (no checkout, not a pipeline, ...).
int run_local(const LocalOptions& options);

}  // namespace berth::cli
