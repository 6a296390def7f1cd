#include "cli/local/schedule.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace berth::local {
namespace {

using pipeline::When;

/// Whether a job with this `when` runs after what came before (gitlab,
/// app/services/ci/pipeline_processing/atomic_processing_service.rb).
bool runs_after(const pipeline::Job& job, Status before) {
  switch (job.when) {
    case When::on_success:
    case When::manual:
      return before == Status::success || (before == Status::skipped && !job.needs);
    case When::on_failure:
      return before == Status::failed;
    case When::always:
      return before == Status::success || before == Status::failed || before == Status::skipped;
  }
  return false;
}

bool is_final(Status status) {
  return status == Status::success || status == Status::failed || status == Status::canceled ||
         status == Status::skipped;
}

}  // namespace

Schedule::Schedule(const pipeline::Pipeline& pipeline, ScheduleOptions options)
    : m_pipeline(pipeline), m_options(std::move(options)) {
  for (const std::string& name : m_options.only) {
    const auto known = std::ranges::find(pipeline.jobs, name, &pipeline::Job::name);
    if (known != pipeline.jobs.end()) continue;
    std::vector<std::string> names;
    for (const pipeline::Job& job : pipeline.jobs) names.push_back(job.name);
    throw support::JobError(fmt::format("no such job in this pipeline: \"{}\"", name),
                            fmt::format("its jobs are: {}", fmt::join(names, ", ")));
  }
  for (const pipeline::Job& job : pipeline.jobs) {
    m_jobs.push_back({.selected = m_options.only.empty() || m_options.only.contains(job.name),
                      .allow_failure = job.allow_failure});
  }
}

std::size_t Schedule::stage_index(const std::string& stage) const {
  const auto found = std::ranges::find(m_pipeline.stages, stage);
  return static_cast<std::size_t>(found - m_pipeline.stages.begin());
}

Status Schedule::earlier(std::size_t index) const {
  const pipeline::Job& job = m_pipeline.jobs[index];
  std::vector<JobStatus> before;
  for (std::size_t other = 0; other < m_jobs.size(); ++other) {
    if (!m_jobs[other].selected || other == index) continue;
    const pipeline::Job& candidate = m_pipeline.jobs[other];
    const bool counts =
        job.needs ? std::ranges::count(*job.needs, candidate.name, &pipeline::Need::job) != 0
                  : stage_index(candidate.stage) < stage_index(job.stage);
    if (counts) before.push_back({m_jobs[other].status, m_jobs[other].allow_failure});
  }
  return composite(before, job.needs.has_value());
}

bool Schedule::settle() {
  bool changed = false;
  for (std::size_t index = 0; index < m_jobs.size(); ++index) {
    State& state = m_jobs[index];
    if (!state.selected || state.status != Status::created) continue;
    const Status before = earlier(index);
    if (!is_final(before)) continue;
    const pipeline::Job& job = m_pipeline.jobs[index];
    if (!runs_after(job, before)) {
      state.status = Status::skipped;
      changed = true;
    } else if (job.when == When::manual && !m_options.play_manual && m_options.only.empty()) {
      state.status = Status::manual;
      changed = true;
    }
  }
  return changed;
}

std::vector<std::size_t> Schedule::ready() {
  while (settle()) {
  }
  std::vector<std::size_t> result;
  for (std::size_t index = 0; index < m_jobs.size(); ++index) {
    if (!m_jobs[index].selected || m_jobs[index].status != Status::created) continue;
    if (is_final(earlier(index))) result.push_back(index);
  }
  return result;
}

void Schedule::started(std::size_t job) {
  m_jobs[job].status = Status::running;
  ++m_jobs[job].attempts;
}

bool Schedule::retries(const pipeline::Job& job, int attempts, const Outcome& outcome) const {
  if (outcome.status != Status::failed || attempts > job.retry.max) return false;
  const auto& when = job.retry.when;
  const auto& codes = job.retry.exit_codes;
  const bool by_code = std::ranges::find(codes, outcome.exit_code) != codes.end() &&
                       outcome.reason == "script_failure";
  if (when.empty() && codes.empty()) return true;
  return by_code || std::ranges::find(when, "always") != when.end() ||
         std::ranges::find(when, outcome.reason) != when.end();
}

bool Schedule::finished(std::size_t index, const Outcome& outcome) {
  State& state = m_jobs[index];
  const pipeline::Job& job = m_pipeline.jobs[index];
  if (retries(job, state.attempts, outcome)) {
    state.status = Status::created;
    return true;
  }
  state.status = outcome.status;
  const auto& codes = job.allow_failure_exit_codes;
  if (outcome.reason == "script_failure" &&
      std::ranges::find(codes, outcome.exit_code) != codes.end()) {
    state.allow_failure = true;
  }
  return false;
}

void Schedule::cancel() {
  for (State& state : m_jobs) {
    if (state.selected && (state.status == Status::created || state.status == Status::manual)) {
      state.status = Status::canceled;
    }
  }
}

bool Schedule::done() {
  const bool running = std::ranges::any_of(
      m_jobs, [](const State& state) { return state.selected && state.status == Status::running; });
  return !running && ready().empty();
}

std::optional<JobStatus> Schedule::status(std::size_t job) const {
  if (!m_jobs[job].selected) return std::nullopt;
  return JobStatus{m_jobs[job].status, m_jobs[job].allow_failure};
}

Status Schedule::pipeline_status() const {
  std::vector<JobStatus> all;
  for (const State& state : m_jobs) {
    if (state.selected) all.push_back({state.status, state.allow_failure});
  }
  return composite(all, false);
}

}  // namespace berth::local
