#include "executor/app/deployment.hpp"

#include "executor/app/deployment_watch.hpp"
#include "executor/app/ledgers.hpp"
#include "executor/core/overdue.hpp"
#include "executor/environments/events.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/lock_wait.hpp"
#include "executor/environments/policy.hpp"
#include "executor/environments/workloads/access.hpp"
#include "executor/state/deployment.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace berth::app {
namespace {

using environments::Deployment;
using environments::Result;

/// An agent may take a cut connection for a driver that lives for so long, beside
/// `orphan_timeout`, and ends its container only then.
constexpr std::chrono::seconds k_cut_unseen{120};

/// Heartbeats of drivers that were killed while they waited are nobody's after that.
constexpr std::chrono::seconds k_forgotten{86400};

/// How long after its driver's last sign of life a job's containers may run.
std::chrono::seconds silence_of(const core::JobSpec& plan) {
  return plan.orphan_timeout + std::min(k_cut_unseen, plan.orphan_timeout);
}

environments::Claim claim_of(const settings::Settings& settings, const core::JobSpec& plan,
                             const Deployment& deployment) {
  return {.id = deployment.id,
          .user = deployment.user,
          .who = deployment.job_url.empty() ? fmt::format("job {}", deployment.job)
                                            : deployment.job_url,
          .host = ledger_host(settings),
          .until = plan.deadline + core::k_clock_tolerance,
          .heartbeat = heartbeat_file(settings, deployment.id).native(),
          .silence = silence_of(plan)};
}

std::unique_ptr<environments::Events> make_events(const StageInput& input,
                                                  const settings::Settings& settings) {
  return environments::make_events({.targets = settings.environments->events}, input.console,
                                   input.stop);
}

class Entry final : public EnteredEnvironment {
 public:
  Entry(const StageInput& input, const settings::Settings& settings, const core::Job& job,
        const core::JobSpec& plan, environments::Request request)
      : m_input(input),
        m_settings(settings),
        m_rule(settings::rule_of(*settings.environments, request.environment)),
        m_request(std::move(request)),
        m_reason(environments::break_glass_reason(m_rule, job.variables)),
        m_deployment(environments::deployment_of(m_request, plan.attempt)),
        m_claim(claim_of(settings, plan, m_deployment)),
        m_interval(environments::heartbeat_interval(m_claim.silence)),
        m_ledger(make_ledger(settings, input.console, m_request.project)),
        m_events(make_events(input, settings)) {}

  /// Before the wait, so that nobody waits for a no; and again behind it, since the clock
  /// and the history have gone on.
  void enter(const core::Job& job) {
    decide();
    // Before the lock: cleanup gives back what a killed prepare has taken.
    state::write_deployment(m_input.environment.tmpdir, {.project = m_request.project,
                                                         .environment = m_request.environment,
                                                         .id = m_deployment.id,
                                                         .heartbeat = m_claim.heartbeat,
                                                         .interval = m_interval});
    const std::int64_t now = support::unix_seconds();
    environments::end_old_heartbeats(std::filesystem::path(m_claim.heartbeat).parent_path(),
                                     std::max(k_forgotten, m_claim.silence), now);
    environments::make_heartbeat(m_claim.heartbeat, now);
    m_heartbeat.emplace(m_claim.heartbeat, m_input.stop, m_interval);
    wait();
    try {
      decide();
      look(job);
    } catch (...) {
      give_back();
      throw;
    }
    m_input.console.line(fmt::format("environment '{}' is this job's until it ends", name()));
  }

  std::stop_token stop() const override { return m_heartbeat->token(); }

  void check() const override {
    if (!m_heartbeat->lost()) return;
    throw support::SystemError(
        fmt::format("lost the lock of environment '{}': this program was stopped for too long",
                    name()),
        "another deployment may have begun: retry the job");
  }

  void begin() override {
    check();
    m_deployment.started = support::unix_seconds();
    m_deployment = m_ledger->begin(m_deployment);
    m_input.console.line(fmt::format("deployment {} of environment '{}' begins{}",
                                     m_deployment.number, name(),
                                     m_deployment.origin == environments::Origin::rollback
                                         ? fmt::format(", back to {}", m_deployment.of_number)
                                         : ""));
    tell(environments::EventType::started, {}, {});
  }

 private:
  void give_back() {
    try {
      m_ledger->leave(m_request.environment, m_deployment.id);
    } catch (const support::Error& error) {
      // It ends by itself, or in cleanup; the first trouble is the one to tell.
      m_input.console.warning(error.what());
    }
  }

  const std::string& name() const { return m_request.environment; }

  void tell(environments::EventType type, const std::string& rule, const std::string& text) {
    m_events->tell({.type = type,
                    .at = support::unix_seconds(),
                    .deployment = m_deployment,
                    .rule = rule,
                    .text = text});
  }

  void look(const core::Job& job) {
    try {
      look_before({.settings = m_input.settings,
                   .environment = m_input.environment,
                   .console = m_input.console,
                   .stop = m_heartbeat->token()},
                  m_settings, m_rule, m_request, job);
    } catch (const support::Cancelled&) {
      check();
      throw;
    } catch (const environments::workloads::WrongTarget& wrong) {
      tell(environments::EventType::refused, "contexts, namespaces", wrong.what());
      throw;
    }
  }

  void wait() {
    try {
      environments::wait_for_lock({.ledger = *m_ledger,
                                   .events = *m_events,
                                   .console = m_input.console,
                                   .stop = m_input.stop},
                                  m_rule.lock, m_claim, m_deployment);
    } catch (const environments::Refusal& refusal) {
      tell(environments::EventType::refused, refusal.rule(), refusal.what());
      throw;
    }
  }

  void decide() {
    try {
      if (!environments::is_deployment(m_request.action)) {
        environments::check_access(m_rule, m_request);
        return;
      }
      const environments::Decision decision =
          environments::decide(m_rule, m_request, m_reason,
                               {.history = m_ledger->history(name(), 0),
                                .approvals = m_ledger->approvals(name()),
                                .manual = m_ledger->lock_state(name()).manual},
                               support::unix_seconds());
      if (!decision.break_glass.empty() && m_deployment.break_glass.empty()) {
        m_input.console.warning(fmt::format("deploying to '{}' in spite of its windows: {}", name(),
                                            decision.break_glass));
      }
      m_deployment.break_glass = decision.break_glass;
      m_deployment.approved_by = decision.approved_by;
      m_deployment.of_number = decision.of_number;
      m_deployment.origin =
          decision.of_number != 0 ? environments::Origin::rollback : environments::Origin::job;
    } catch (const environments::Refusal& refusal) {
      tell(environments::EventType::refused, refusal.rule(), refusal.what());
      throw;
    }
  }

  friend std::unique_ptr<EnteredEnvironment> berth::app::enter_environment(
      const StageInput& input, const settings::Settings& settings, const core::Job& job,
      const core::JobSpec& plan);

  const StageInput& m_input;
  const settings::Settings& m_settings;
  const settings::EnvironmentRule& m_rule;
  environments::Request m_request;
  std::string m_reason;
  Deployment m_deployment;
  environments::Claim m_claim;
  std::chrono::milliseconds m_interval;
  std::shared_ptr<environments::Ledger> m_ledger;
  std::unique_ptr<environments::Events> m_events;
  std::optional<environments::Heartbeat> m_heartbeat;
};

std::optional<Deployment> find(environments::Ledger& ledger,
                               const state::DeploymentState& deployment) {
  const auto all = ledger.history(deployment.environment, 0);
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Deployment& one) { return one.id == deployment.id; });
  if (found == all.end()) return std::nullopt;
  return *found;
}

/// Records it, tells it, and says it in the log.
void record(const StageInput& input, const settings::Settings& settings,
            environments::Ledger& ledger, const state::DeploymentState& deployment,
            const environments::Conclusion& conclusion) {
  ledger.finish(deployment.environment, deployment.id, conclusion);
  const auto now = find(ledger, deployment);
  if (!now) return;
  make_events(input, settings)
      ->tell({.type = environments::type_of(conclusion.result),
              .at = support::unix_seconds(),
              .deployment = *now,
              .text = conclusion.cause});
  input.console.line(fmt::format("deployment {} of environment '{}': {}{}", now->number,
                                 deployment.environment, to_string(conclusion.result),
                                 conclusion.cause.empty() ? "" : ", " + conclusion.cause));
}

std::string words_for(const core::ExitStatus& status) {
  if (const auto* signal = std::get_if<core::Signalled>(&status.how)) {
    return fmt::format("the script was ended by signal {}", signal->number);
  }
  return fmt::format("the script failed with exit code {}", status.build_exit_code());
}

/// For a deployment that nobody has seen the end of: what the runner says of the job.
environments::Conclusion unseen_end(const StageInput& input) {
  // The runner's word (or a job's, that spoils only its own record).
  const std::string status = input.environment.variable("CI_JOB_STATUS");
  if (!state::script_begun_at(input.environment.tmpdir)) {
    return {.result = Result::failed, .cause = "the job ended before its script began"};
  }
  if (status == "timedout") return {.result = Result::canceled, .cause = "the job ran out of time"};
  if (status == "canceled") return {.result = Result::canceled, .cause = "the job was cancelled"};
  if (status == "running") {
    return {.result = Result::canceled, .cause = "the job was cancelled, or ran out of time"};
  }
  return {.result = Result::lost, .cause = "nobody saw how its script ended"};
}

}  // namespace

std::unique_ptr<EnteredEnvironment> enter_environment(const StageInput& input,
                                                      const settings::Settings& settings,
                                                      const core::Job& job,
                                                      const core::JobSpec& plan) {
  if (!settings.environments) return nullptr;
  auto request = environments::request_of(job);
  if (!request) return nullptr;
  auto entry = std::make_unique<Entry>(input, settings, job, plan, std::move(*request));
  if (!environments::is_deployment(entry->m_request.action)) {
    entry->decide();
    return nullptr;
  }
  entry->enter(job);
  return entry;
}

core::ExitStatus conclude_script(const StageInput& input, const core::ExitStatus& status) {
  const auto deployment = state::read_deployment(input.environment.tmpdir);
  if (!deployment) return status;
  try {
    const settings::Settings settings = settings::load(input.settings);
    if (!settings.environments) {
      throw support::OperatorError(
          fmt::format("the settings have lost their section 'environments' since this job began, "
                      "and nobody looked at its deployment to '{}'",
                      deployment->environment),
          "put it back, and look at what the job deployed");
    }
    const LookedAfter end =
        look_after(input, settings, deployment->environment,
                   {.result = status.success() ? Result::success : Result::failed,
                    .cause = status.success() ? std::string() : words_for(status)});
    const auto ledger = make_ledger(settings, input.console, deployment->project);
    record(input, settings, *ledger, *deployment, end.conclusion);
    if (status.success() && end.conclusion.result != Result::success) {
      throw support::JobError(
          fmt::format("the script succeeded, and the deployment to '{}' did not: {}",
                      deployment->environment, end.conclusion.cause),
          end.hint);
    }
    if (!status.success() && !end.hint.empty()) input.console.hint(end.hint);
  } catch (const support::Error& error) {
    // A script that failed stays the job's failure, whatever else goes wrong.
    if (status.success()) throw;
    input.console.warning(error.what());
  }
  return status;
}

void leave_environment(const StageInput& input, const settings::Settings& settings,
                       bool all_removed) {
  const auto deployment = state::read_deployment(input.environment.tmpdir);
  if (!deployment || !settings.environments) return;
  const auto ledger = make_ledger(settings, input.console, deployment->project);
  const auto known = find(*ledger, *deployment);
  if (known && known->result == Result::running) {
    record(input, settings, *ledger, *deployment, unseen_end(input));
  }
  if (!all_removed) {
    input.console.warning(
        fmt::format("environment '{}' stays locked until containers of this job have ended",
                    deployment->environment));
    return;
  }
  ledger->leave(deployment->environment, deployment->id);
  environments::end_heartbeat(deployment->heartbeat);
}

}  // namespace berth::app
