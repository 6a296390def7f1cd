#pragma once

#include "cli/local/runner/play.hpp"
#include "tests/contract/fake_engine.hpp"
#include "tests/support/temp_dir.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace berth::tests {

/// A runner, the four programs and a fake engine, ready to play jobs.
class JobFixture {
 public:
  explicit JobFixture(bool local_engine = true);

  /// A job of one script line per entry, with GIT_STRATEGY none.
  static local::runner::Payload job(std::vector<std::string> script,
                                    std::vector<std::string> after_script = {});

  /// What happened, as a user would see it.
  struct Outcome {
    local::runner::JobResult result;
    std::string log;
    /// "config", "prepare", "run build_script", ..., in order.
    std::vector<std::string> calls;
  };

  /// on_output: called with all of the log so far, after each piece.
  Outcome play(
      const local::runner::Payload& payload,
      const std::function<void(const std::string&, local::runner::Control&)>& on_output = {});

  /// Containers, networks other than the long-lived one, and per-job volumes
  /// that exist now.
  std::vector<std::string> leftovers() const;

  FakeEngine& engine() { return *m_engine; }
  local::runner::RunnerConfig& config() { return m_config; }
  const std::filesystem::path& folder() const { return m_folder.path(); }

 private:
  TempDir m_folder;
  std::unique_ptr<FakeEngine> m_engine;
  local::runner::RunnerConfig m_config;
};

}  // namespace berth::tests
