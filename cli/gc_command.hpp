#pragma once

#include "executor/core/upkeep.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace berth::cli {

struct GcOptions {
  /// Empty: where the four programs look for theirs.
  std::filesystem::path settings{};
  bool dry_run = false;
  /// "30d"; empty: kept volumes stay.
  std::string volumes_older_than{};
  /// Kubernetes: beside the settings' own.
  std::vector<std::string> namespaces{};
};

/// One line per object, with the reason or what kept it from being removed; then a
/// closing line. Pure.
std::string gc_report(const std::vector<core::Garbage>& all, bool dry_run);

/// Runs it, prints the report. Gives the exit code: 1 where something that is left
/// over could not be removed. Throws support::Error.
int run_gc(const GcOptions& options);

}  // namespace berth::cli
