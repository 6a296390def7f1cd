#pragma once

#include "cli/local/pipeline/pipeline.hpp"
#include "cli/local/status.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace berth::local {

struct ScheduleOptions {
  /// Empty: all. Else these alone; what they need of others counts as done.
  std::set<std::string> only;
  /// Manual jobs run as soon as they may. Those in `only` do in any case.
  bool play_manual = false;
};

/// Decides which job may run when: stages, needs, when, allow_failure and retry
/// as GitLab means them. Pure; knows no clock, process or thread. Jobs are
/// indices into Pipeline::jobs.
class Schedule {
 public:
  /// The pipeline must outlive this. Throws support::JobError for a name in
  /// `only` that is no job.
  Schedule(const pipeline::Pipeline& pipeline, ScheduleOptions options);

  /// Settles what can be settled without running (skipped, manual), and gives
  /// the jobs that may start now, in the pipeline's order.
  std::vector<std::size_t> ready();
  void started(std::size_t job);

  struct Outcome {
    Status status = Status::success;  ///< success, failed or canceled
    /// GitLab's failure reason; empty on success.
    std::string reason;
    int exit_code = 0;
  };
  /// True: the job is to be tried once more; it waits anew.
  bool finished(std::size_t job, const Outcome& outcome);
  /// No job starts any more; those that wait are canceled.
  void cancel();

  /// Nothing runs and nothing can.
  bool done();
  /// Of a job: nothing for those left out by `only`.
  std::optional<JobStatus> status(std::size_t job) const;
  /// Tries so far.
  int attempts(std::size_t job) const { return m_jobs[job].attempts; }
  /// What the whole pipeline came to. `manual`: it waits for somebody.
  Status pipeline_status() const;

 private:
  struct State {
    bool selected = true;
    Status status = Status::created;
    bool allow_failure = false;
    int attempts = 0;
  };

  bool settle();
  Status earlier(std::size_t job) const;
  std::size_t stage_index(const std::string& stage) const;
  bool retries(const pipeline::Job& job, int attempts, const Outcome& outcome) const;

  const pipeline::Pipeline& m_pipeline;
  ScheduleOptions m_options;
  std::vector<State> m_jobs;
};

}  // namespace berth::local
