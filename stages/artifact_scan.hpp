#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/exit_status.hpp"
#include "executor/gitlab/environment.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::stages {

/// Patterns of artifacts, as GitLab has them: relative to the checkout; one that names a
/// directory takes all below it.
struct ArtifactPatterns {
  std::vector<std::string> paths{};
  std::vector<std::string> exclude{};
};

/// Whether a file of the checkout is uploaded. Pure.
bool is_uploaded(const ArtifactPatterns& patterns, std::string_view file);

/// For a POSIX shell with `grep`: prints the files below what the patterns begin with
/// that hold one of the texts, relative to `directory`. The texts reach grep through a
/// pipe, never as arguments. Pure.
std::string scan_script(const std::string& directory, const ArtifactPatterns& patterns,
                        const std::vector<std::string>& texts);

/// Runs a script in the helper container.
using RunScript = std::function<core::ExitStatus(const core::Script&, core::OutputSink&)>;

/// Before a stage that uploads artifacts, where the settings say `scan_artifacts`: looks
/// into the files that it will take for secrets of the job's credentials. A warning for
/// each, or JobError where they say `fail`. Any other stage: nothing.
void scan_artifacts(const core::Sandbox& sandbox, const core::Script& upload,
                    const gitlab::RunnerEnvironment& environment, const RunScript& run,
                    support::Console& console);

}  // namespace berth::stages
