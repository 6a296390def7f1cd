#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/upkeep.hpp"
#include "executor/settings/settings.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// A job that does nothing, for `berth doctor`: planned and prepared like any other,
/// of the helper image alone. What it shows works for jobs too: images, agents,
/// the way to them, the helper's tools, names, disk.
namespace berth::app {

struct ProbeOptions {
  /// Its TMPDIR: an empty directory of its own. Whoever looks for leftovers goes by it.
  std::filesystem::path tmpdir;
  /// Names that a job must be able to resolve; beside them the cluster's own.
  std::vector<std::string> hosts{};
  /// Of the helper image, where the settings name none; empty: `latest`.
  std::string runner_version{};
  /// How long its containers may take to start.
  std::chrono::seconds start_limit{60};
};

/// Prepares it, looks around inside, removes it. What is wrong is a finding. Throws
/// Cancelled, after it has removed what it made.
std::vector<core::Finding> examine_by_probe(const settings::Settings& settings,
                                            const ProbeOptions& options, support::Console& console,
                                            std::stop_token stop);

/// Removes what a probe with that TMPDIR has left that was killed. Throws support::Error.
void remove_probe(const settings::Settings& settings, const std::filesystem::path& tmpdir,
                  support::Console& console);

/// The script that looks around: POSIX shell. Throws OperatorError for a host that is
/// none. Pure.
std::string probe_script(const std::vector<std::string>& hosts);

/// From what the script has said; `before` and `after` are this machine's clock around
/// its run, in seconds. Pure.
std::vector<core::Finding> read_probe(std::string_view output, std::int64_t before,
                                      std::int64_t after);

}  // namespace berth::app
