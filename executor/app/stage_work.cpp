#include "executor/app/stage_work.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/app/attempt_marker.hpp"
#include "executor/app/backends.hpp"
#include "executor/app/deployment.hpp"
#include "executor/app/service_hints.hpp"
#include "executor/credentials/delivery.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/gitlab/job_response.hpp"
#include "executor/hints/find.hpp"
#include "executor/settings/settings.hpp"
#include "executor/state/attempt.hpp"
#include "executor/state/deployment.hpp"
#include "executor/state/plan.hpp"
#include "executor/state/sandbox.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <utility>

namespace berth::app {
namespace {

/// Cleanup goes on without files that cannot be read.
template <typename Read>
auto read_if_sound(core::Console& console, const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const support::SystemError& error) {
    console.warning(fmt::format("{}; cleaning up by labels", error.what()));
    return std::nullopt;
  }
}

/// Where the stages find what the agents were given; no secret itself.
void note_secrets(core::Sandbox& sandbox, const core::JobSecrets& secrets, const core::Job& job,
                  settings::Credentials::Scan scan) {
  if (!secrets.note.empty()) sandbox.values[agentlink::k_value_note] = secrets.note;
  for (const auto& [name, path] : secrets.exports)
    sandbox.values[std::string("build") + agentlink::k_value_export + name] = path;
  using Scan = settings::Credentials::Scan;
  if (scan == Scan::off || secrets.note.empty() || job.artifacts.empty()) return;
  std::string paths;
  std::string exclude;
  for (const core::Artifacts& one : job.artifacts) {
    for (const std::string& path : one.paths) paths += path + "\n";
    if (one.untracked) paths += "**\n";
    for (const std::string& path : one.exclude) exclude += path + "\n";
  }
  sandbox.values[agentlink::k_value_scan] = scan == Scan::fail ? "fail" : "warn";
  sandbox.values[agentlink::k_value_scan_paths] = paths;
  sandbox.values[agentlink::k_value_scan_exclude] = exclude;
}

/// Where the lock is lost the backend is told to stop, as when the job is cancelled.
core::Sandbox prepare_sandbox(core::Backend& backend, const core::JobSpec& plan,
                              const core::PrepareInput& job, core::Console& console,
                              std::stop_token stop, const EnteredEnvironment* entered) {
  if (entered == nullptr) return backend.prepare(plan, job, console, std::move(stop));
  try {
    return backend.prepare(plan, job, console, entered->stop());
  } catch (const support::Cancelled&) {
    entered->check();
    throw;
  }
}

/// The first trouble is told; none keeps the rest from being tried.
core::CleanupReport remove_all(const StageInput& input, const settings::Settings& settings,
                               const core::JobSpec& spec, const core::Sandbox* sandbox) {
  core::CleanupReport report;
  try {
    report =
        make_backend(spec.backend, settings)->cleanup(spec, sandbox, input.console, input.stop);
  } catch (...) {
    try {
      leave_environment(input, settings, false);
    } catch (const support::Error& error) {
      input.console.warning(error.what());
    }
    throw;
  }
  leave_environment(input, settings, report.failures.empty());
  return report;
}

}  // namespace

void prepare(const StageInput& input) {
  const settings::Settings settings = settings::load(input.settings);
  const core::Job job = gitlab::read_job_response(input.environment.job_response_file);
  const core::JobSpec plan = state::read_or_make_plan(job, settings.policy, input.environment,
                                                      settings.state_dir, support::system_clock());
  const core::Variables expanded = gitlab::expanded_variables(job, input.environment);
  const core::Variables containers = gitlab::container_environment(job, expanded);
  for (const std::string& note : plan.notes) input.console.warning(note);

  const core::JobSecrets secrets =
      credentials::job_secrets(job, expanded, plan, settings.credentials, input.console);

  const auto entered = enter_environment(input, settings, job, plan);
  const auto backend = make_backend(plan.backend, settings);
  mark_unfinished(input.environment.tmpdir);
  ServiceHints console(input.console);
  core::Sandbox sandbox;
  try {
    sandbox = prepare_sandbox(*backend, plan,
                              {.job = job,
                               .expanded = expanded,
                               .container_environment = containers,
                               .default_services = &settings.policy.services,
                               .secrets = &secrets},
                              console, input.stop, entered.get());
  } catch (const support::Error& error) {
    // Others are tried again.
    if (error.fault() != support::Fault::job) throw;
    console.tell();
    const hints::KnownCause* cause = hints::find_cause(error.what(), hints::Where::both);
    if (!error.hint().empty() || cause == nullptr) throw;
    throw support::JobError(error.what(), std::string(cause->hint));
  }
  console.note(sandbox);
  note_secrets(sandbox, secrets, job, settings.credentials.scan_artifacts);
  state::write_sandbox(input.environment.tmpdir, sandbox);
  mark_finished(input.environment.tmpdir);
  if (entered) entered->begin();
}

void cleanup(const StageInput& input) {
  const auto& tmpdir = input.environment.tmpdir;
  state::remove_snapshot(tmpdir);  // first: whatever fails, it is gone
  const auto plan = read_if_sound(input.console, [&] { return state::read_plan(tmpdir); });
  auto sandbox = read_if_sound(input.console, [&] { return state::read_sandbox(tmpdir); });
  const settings::Settings settings = settings::load(input.settings);
  core::JobSpec spec = plan.value_or(core::JobSpec{});
  spec.tmpdir = tmpdir.string();
  const bool known = plan && sandbox && !is_unfinished(tmpdir);
  if (!plan) spec.backend = settings.policy.backend;
  const auto report = remove_all(input, settings, spec, known ? &*sandbox : nullptr);
  if (report.failures.empty()) return;
  for (const std::string& failure : report.failures) input.console.warning(failure);
  throw support::SystemError(
      fmt::format("cleanup left {} objects of the job behind", report.failures.size()),
      "the next job's preparation tries again");
}

}  // namespace berth::app
