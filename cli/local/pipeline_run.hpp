#pragma once

#include "cli/local/report.hpp"
#include "cli/local/run_facts.hpp"
#include "cli/local/runner/config.hpp"
#include "cli/local/runner/control.hpp"
#include "cli/local/schedule.hpp"
#include "cli/local/server/artifact_store.hpp"
#include "cli/local/terminal.hpp"
#include "cli/local/workspace.hpp"

#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace berth::local {

struct JobRun;

struct RunOptions {
  /// Jobs at once.
  int parallel = 1;
  bool keep = false;
  /// Bytes of each job's log; 0 is all of it.
  std::uint64_t output_limit = 0;
  ScheduleOptions schedule{};
  std::filesystem::path logs{};
};

/// Plays a pipeline: starts jobs as the schedule allows, each on a thread of its
/// own, hands artifacts and dotenv variables on, and collects what became of them.
class PipelineRun {
 public:
  /// All references must outlive this.
  PipelineRun(const pipeline::Pipeline& pipeline, const RunFacts& facts,
              const runner::RunnerConfig& config, const Workspace& workspace,
              server::ArtifactStore& store, Terminal& terminal, RunOptions options);
  ~PipelineRun();

  /// Blocks to the end of the pipeline. Throws support::SystemError when this
  /// machine cannot go on (no disk, no threads); running jobs are ended first.
  void run();

  /// As GitLab's "Cancel pipeline": nothing starts any more, scripts that run
  /// are ended, their after_script runs. Any thread.
  void cancel();
  /// Everything stops at once; only cleanup runs. Any thread.
  void abort();

  Status status() const { return m_schedule.pipeline_status(); }
  /// In the pipeline's order, without those left out.
  std::vector<JobReport> reports() const;

 private:
  struct Running {
    std::size_t index = 0;
    std::int64_t id = 0;
    int slot = 0;
    std::string resource_group;
    std::unique_ptr<runner::Control> control;
    std::thread thread;
    bool ended = false;
  };

  void start(std::size_t index);
  void play(Running& running);
  void collect();
  int free_slot() const;
  bool may_start(std::size_t index) const;
  std::string resource_group(const pipeline::Job& job) const;
  runner::RunnerConfig config_for(const Running& running) const;
  /// The run of that job whose artifacts others get; 0 where there is none.
  std::int64_t artifacts_of(const std::string& name);
  void add_dependencies(const pipeline::Job& job, JobRun& run);
  void add_dotenv(const std::string& job_name, std::int64_t id, JobRun& run);
  void tell_kept(const pipeline::Job& job, const std::filesystem::path& tmpdir, std::int64_t id);

  const pipeline::Pipeline& m_pipeline;
  const RunFacts& m_facts;
  const runner::RunnerConfig& m_config;
  const Workspace& m_workspace;
  server::ArtifactStore& m_store;
  Terminal& m_terminal;
  RunOptions m_options;

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  Schedule m_schedule;
  std::list<Running> m_running;
  /// The last run of each job that has ended: its artifacts are there.
  std::map<std::string, std::int64_t> m_ended;
  std::vector<JobReport> m_reports;
  std::int64_t m_next_job = 0;
  std::string m_failure;
};

}  // namespace berth::local
