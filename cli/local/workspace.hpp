#pragma once

#include "cli/local/server/artifact_store.hpp"
#include "executor/support/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace berth::local {

/// The folders of local runs, below Berth's state folder (settings, state_dir):
///
///     local/tmp/                     TMPDIRs of the jobs: one folder for all runs,
///                                    so that each sweeps what a dead one left
///     local/<project>/next           the next pipeline's number
///     local/<project>/address        the address that jobs reached this machine by
///     local/<project>/runs/<n>/      logs and artifacts of pipeline n; the last ten stay
///     local/<project>/latest/<job>/  what the last run of each job left, for runs of single jobs
///
/// The run's folder is locked while this object lives. TMPDIRs whose runner is dead
/// are removed, by which the driver knows that nobody will clean up after them;
/// those of --keep stay for a day.
class Workspace {
 public:
  /// Makes the folders and takes the next number. Throws support::SystemError.
  Workspace(const std::filesystem::path& base, std::int64_t project_id);

  std::int64_t pipeline_id() const noexcept { return m_pipeline_id; }
  std::filesystem::path run() const { return m_project / "runs" / std::to_string(m_pipeline_id); }
  std::filesystem::path logs() const { return run() / "logs"; }
  std::filesystem::path artifacts() const { return run() / "artifacts"; }
  std::filesystem::path tmp() const { return m_base / "tmp"; }

  /// Where jobs found this machine in an earlier run; empty before the first.
  std::string address() const;
  void remember_address(const std::string& address) const;

  struct Kept {
    std::string type;  ///< archive, dotenv
    std::string name;
    std::filesystem::path path;
  };
  /// Keeps what a job left (hard links), in place of what it left before.
  void remember(const std::string& job, const server::ArtifactStore& store,
                std::int64_t job_id) const;
  std::vector<Kept> recall(const std::string& job) const;

 private:
  void remove_old_runs() const;
  void remove_dead_attempts() const;
  std::filesystem::path latest(const std::string& job) const;

  std::filesystem::path m_base;
  std::filesystem::path m_project;
  std::int64_t m_pipeline_id = 0;
  support::Fd m_lock;
};

/// The same number for the same checkout, greater than 0.
std::int64_t project_number(const std::filesystem::path& root);

}  // namespace berth::local
