#include "cli/local/pipeline_run.hpp"

#include "cli/local/dotenv.hpp"
#include "cli/local/job_log.hpp"
#include "cli/local/job_payload.hpp"
#include "cli/local/pipeline/variables.hpp"
#include "cli/local/runner/play.hpp"
#include "cli/local/server/gzip.hpp"
#include "executor/state/sandbox.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace berth::local {
namespace {

using Seconds = std::chrono::duration<double>;

/// GitLab's limit for an unpacked dotenv file is far below.
constexpr std::size_t k_max_dotenv = std::size_t{1} << 20;

Seconds driver_share(const std::vector<runner::CallRecord>& calls) {
  Seconds share{0};
  for (const runner::CallRecord& call : calls) {
    if (call.program != runner::Program::run) {
      share += call.ended - call.started;
    } else if (call.end) {
      share += call.end->cpu;
    }
  }
  return share;
}

Schedule::Outcome outcome_of(const runner::JobResult& result) {
  const Status status = result.state == runner::JobState::success  ? Status::success
                        : result.state == runner::JobState::failed ? Status::failed
                                                                   : Status::canceled;
  return {.status = status, .reason = result.failure_reason, .exit_code = result.exit_code};
}

/// Commands that show a kept job's containers.
std::vector<std::string> ways_into(const std::filesystem::path& tmpdir, std::int64_t id) {
  const std::string label = fmt::format("com.gitlab.gitlab-runner.job.id={}", id);
  const auto sandbox = state::read_sandbox(tmpdir);
  const auto value = [&sandbox](const std::string& key) {
    const auto found = sandbox->values.find(key);
    return found == sandbox->values.end() ? std::string() : found->second;
  };
  if (sandbox && !value("pod.name").empty()) {
    const std::string where = "--namespace " + value("namespace");
    return {fmt::format("kubectl {} exec -it {} -c build -- sh", where, value("pod.name")),
            fmt::format("kubectl {} get pods --selector {}", where, label)};
  }
  std::vector<std::string> ways;
  if (sandbox && !value("build.id").empty())
    ways.push_back(fmt::format("docker exec -it {} sh", value("build.id").substr(0, 12)));
  ways.push_back(fmt::format("docker ps --filter label={}", label));
  return ways;
}

}  // namespace

PipelineRun::PipelineRun(const pipeline::Pipeline& pipeline, const RunFacts& facts,
                         const runner::RunnerConfig& config, const Workspace& workspace,
                         server::ArtifactStore& store, Terminal& terminal, RunOptions options)
    : m_pipeline(pipeline),
      m_facts(facts),
      m_config(config),
      m_workspace(workspace),
      m_store(store),
      m_terminal(terminal),
      m_options(std::move(options)),
      m_schedule(pipeline, m_options.schedule),
      m_next_job(facts.pipeline_id * 1000) {
  for (const pipeline::Job& job : pipeline.jobs)
    m_reports.push_back({.name = job.name, .stage = job.stage});
}

PipelineRun::~PipelineRun() {
  for (Running& running : m_running) {
    if (running.thread.joinable()) running.thread.join();
  }
}

void PipelineRun::run() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    collect();
    if (!m_failure.empty()) m_schedule.cancel();
    for (const std::size_t index : m_schedule.ready()) {
      if (m_running.size() < static_cast<std::size_t>(m_options.parallel) && may_start(index))
        start(index);
    }
    if (m_running.empty()) break;
    m_changed.wait(lock, [this] { return std::ranges::any_of(m_running, &Running::ended); });
  }
  if (!m_failure.empty()) throw support::SystemError(m_failure);
}

void PipelineRun::collect() {
  for (auto running = m_running.begin(); running != m_running.end();) {
    if (running->ended) {
      running->thread.join();
      running = m_running.erase(running);
    } else {
      ++running;
    }
  }
}

int PipelineRun::free_slot() const {
  std::set<int> taken;
  for (const Running& running : m_running) taken.insert(running.slot);
  int slot = 0;
  while (taken.contains(slot)) ++slot;
  return slot;
}

std::string PipelineRun::resource_group(const pipeline::Job& job) const {
  if (job.resource_group.empty()) return {};
  std::vector<core::Variable> variables = pipeline_predefined(m_facts);
  variables.insert(variables.end(), job.predefined.begin(), job.predefined.end());
  variables.insert(variables.end(), job.variables.begin(), job.variables.end());
  return pipeline::expand(job.resource_group, core::Variables(variables));
}

bool PipelineRun::may_start(std::size_t index) const {
  const std::string group = resource_group(m_pipeline.jobs[index]);
  return group.empty() || std::ranges::count(m_running, group, &Running::resource_group) == 0;
}

void PipelineRun::start(std::size_t index) {
  m_schedule.started(index);
  Running& running = m_running.emplace_back();
  running.index = index;
  running.id = ++m_next_job;
  running.resource_group = resource_group(m_pipeline.jobs[index]);
  running.slot = -1;
  running.slot = free_slot();
  running.control = std::make_unique<runner::Control>();
  running.thread = std::thread([this, &running] {
    try {
      play(running);
    } catch (const std::exception& error) {
      const std::lock_guard lock(m_mutex);
      m_failure = error.what();
      m_schedule.finished(running.index,
                          {.status = Status::failed, .reason = "runner_system_failure"});
    }
    const std::lock_guard lock(m_mutex);
    running.ended = true;
    m_changed.notify_all();
  });
}

runner::RunnerConfig PipelineRun::config_for(const Running& running) const {
  runner::RunnerConfig config = m_config;
  config.concurrent_id = running.slot;
  config.concurrent_project_id = running.slot;
  return config;
}

void PipelineRun::add_dotenv(const std::string& job_name, std::int64_t id, JobRun& run) {
  const auto file = m_store.find(id, "dotenv");
  if (!file) return;
  try {
    const std::string text =
        server::gunzip(support::read_file(file->path, k_max_dotenv), k_max_dotenv);
    for (auto& pair : parse_dotenv(text)) run.dotenv.push_back(std::move(pair));
  } catch (const std::exception& error) {
    m_terminal.print(
        fmt::format("the dotenv report of \"{}\" is left out: {}\n", job_name, error.what()));
  }
}

std::int64_t PipelineRun::artifacts_of(const std::string& name) {
  const std::lock_guard lock(m_mutex);
  if (const auto ended = m_ended.find(name); ended != m_ended.end()) return ended->second;
  const auto job = std::ranges::find(m_pipeline.jobs, name, &pipeline::Job::name);
  const auto index = static_cast<std::size_t>(job - m_pipeline.jobs.begin());
  if (job == m_pipeline.jobs.end() || m_schedule.status(index))
    return 0;  // it did not run: nothing to give
  // Left out of this run: what it left in an earlier one stands for it.
  const std::int64_t id = ++m_next_job;
  m_store.add_job(id, fmt::format("job-{}-{}", id, support::random_hex(12)));
  const auto kept = m_workspace.recall(name);
  for (const Workspace::Kept& file : kept) {
    const auto copy = m_store.begin_upload(id, file.type);
    std::filesystem::copy_file(file.path, copy);
    m_store.commit(id, file.type, file.name, copy);
  }
  m_terminal.print(
      kept.empty()
          ? fmt::format(
                "berth: \"{}\" does not run here, and no earlier run left artifacts of it\n", name)
          : fmt::format("berth: artifacts of \"{}\" come from an earlier run\n", name));
  m_ended[name] = id;
  return id;
}

void PipelineRun::add_dependencies(const pipeline::Job& job, JobRun& run) {
  for (const std::string& name : job.artifacts_from) {
    const std::int64_t id = artifacts_of(name);
    if (id == 0) continue;
    add_dotenv(name, id, run);
    const auto archive = m_store.find(id, "archive");
    run.dependencies.push_back({.id = id,
                                .token = m_store.token_of(id).value_or(""),
                                .name = name,
                                .filename = archive ? archive->name : "",
                                .size = archive ? static_cast<std::int64_t>(archive->size) : 0});
  }
}

void PipelineRun::play(Running& running) {
  const pipeline::Job& job = m_pipeline.jobs[running.index];
  JobRun run{.id = running.id,
             .token = fmt::format("job-{}-{}", running.id, support::random_hex(12))};
  m_store.add_job(run.id, run.token);
  add_dependencies(job, run);
  runner::Payload payload = make_payload(job, m_facts, run);
  const int attempt = [&] {
    const std::lock_guard lock(m_mutex);
    return m_schedule.attempts(running.index);
  }();
  const auto log_file =
      m_options.logs / fmt::format("{}-{}.log", running.id % 1000, slug(job.name));
  const bool several = m_options.parallel > 1 && m_pipeline.jobs.size() > 1;
  const std::string label = several ? m_terminal.styled("36", job.name + " | ") : std::string{};
  JobLog log(log_file, secrets_of(payload), m_terminal, label, m_options.output_limit);
  m_terminal.print(fmt::format(
      "{}\n",
      m_terminal.styled("1", fmt::format("== {} ({}){}", job.name, job.stage,
                                         attempt > 1 ? fmt::format(", try {}", attempt) : ""))));

  const auto started = std::chrono::steady_clock::now();
  const runner::RunnerConfig config = config_for(running);
  const runner::JobResult result =
      runner::play(config, std::move(payload), *running.control, log, {.keep = m_options.keep});
  const Seconds duration = std::chrono::steady_clock::now() - started;
  if (m_options.keep && !result.kept.empty()) tell_kept(job, result.kept, running.id);
  m_workspace.remember(job.name, m_store, running.id);

  const std::lock_guard lock(m_mutex);
  const Schedule::Outcome outcome = outcome_of(result);
  JobReport& report = m_reports[running.index];
  report.duration = duration;
  report.driver = driver_share(result.calls);
  report.failure_reason = result.failure_reason;
  report.exit_code.reset();
  if (outcome.status == Status::success || outcome.reason == "script_failure")
    report.exit_code = outcome.exit_code;
  report.tries = attempt;
  report.log = log.file();
  m_ended[job.name] = running.id;
  if (m_schedule.finished(running.index, outcome)) {
    m_terminal.print(fmt::format("== {} is tried again\n", job.name));
  }
}

void PipelineRun::tell_kept(const pipeline::Job& job, const std::filesystem::path& tmpdir,
                            std::int64_t id) {
  std::string text =
      fmt::format("== {} is kept. Look into its containers, and remove them later:\n", job.name);
  for (const std::string& command : ways_into(tmpdir, id)) text += "     " + command + '\n';
  std::string cleanup = m_config.custom.cleanup.program;
  for (const std::string& argument : m_config.custom.cleanup.arguments) cleanup += " " + argument;
  text += fmt::format(
      "     TMPDIR={0} JOB_RESPONSE_FILE={0}/response.json BUILD_FAILURE_EXIT_CODE=1 "
      "SYSTEM_FAILURE_EXIT_CODE=2 {1} && rm -r {0}\n",
      tmpdir.string(), cleanup);
  m_terminal.print(text);
}

void PipelineRun::cancel() {
  const std::lock_guard lock(m_mutex);
  m_schedule.cancel();
  for (Running& running : m_running) running.control->cancel();
}

void PipelineRun::abort() {
  const std::lock_guard lock(m_mutex);
  m_schedule.cancel();
  for (Running& running : m_running) running.control->abort();
}

std::vector<JobReport> PipelineRun::reports() const {
  const std::lock_guard lock(m_mutex);
  std::vector<JobReport> result;
  for (std::size_t index = 0; index < m_reports.size(); ++index) {
    const auto status = m_schedule.status(index);
    if (!status) continue;
    JobReport report = m_reports[index];
    report.status = status->status;
    report.allow_failure = status->allow_failure;
    result.push_back(std::move(report));
  }
  return result;
}

}  // namespace berth::local
