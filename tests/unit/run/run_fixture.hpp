#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/job_spec.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/run/stage_process.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace berth::tests {

inline constexpr int k_build_failure = 41;
inline constexpr int k_system_failure = 42;
inline constexpr int k_engine_was_here = 43;

std::string content(const std::filesystem::path& path);

/// An attempt whose containers have their agent's socket in `socket_dir`, and the
/// real berth-run in a directory of its own. In the place of berth-run-engine
/// stands a script that notes how it was called.
class RunFixture {
 public:
  explicit RunFixture(const std::filesystem::path& socket_dir);

  std::unique_ptr<StageProcess> start(const std::string& script, const std::string& stage,
                                      StageProcess::Stdout out = StageProcess::Stdout::pipe) const;
  /// Without writing anything before.
  std::unique_ptr<StageProcess> start_again(
      const std::string& stage, StageProcess::Stdout out = StageProcess::Stdout::pipe) const;
  std::string exit_code_file() const { return content(tmpdir / "build_exit_code"); }
  std::string engine_arguments() const { return content(tmpdir / "engine_arguments"); }

  TempDir temp;
  std::filesystem::path tmpdir = temp.path() / "attempt";
  std::filesystem::path bin = temp.path() / "bin";
  core::JobSpec spec;
  core::Sandbox sandbox;
  std::map<std::string, std::string> environment;
};

}  // namespace berth::tests
