#include "cli/local/runner/play.hpp"

#include "cli/local/runner/attempt.hpp"
#include "cli/local/runner/durations.hpp"
#include "cli/local/runner/stage_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace berth::local::runner {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int k_preparation_attempts = 3;
constexpr std::chrono::minutes k_after_script_timeout{5};

/// Why a stage or a job did not succeed: a reason to stop, or a failure.
struct Trouble {
  Stop stop = Stop::none;
  CallFailure failure;
  std::string message;
};
using MaybeTrouble = std::optional<Trouble>;

Trouble stopped(Stop stop) {
  return {.stop = stop, .failure = {}, .message = {}};
}

Trouble failed(CallFailure failure) {
  std::string message = failure.message;
  return {.stop = Stop::none, .failure = std::move(failure), .message = std::move(message)};
}

bool is_cancel(Stop stop) {
  return stop == Stop::canceled || stop == Stop::aborted || stop == Stop::script_canceled;
}

bool is_timeout(Stop stop) {
  return stop == Stop::job_timeout || stop == Stop::script_timeout;
}

class Player {
 public:
  Player(const RunnerConfig& config, Payload payload, Control& control, Observer& observer)
      : m_config(config),
        m_context(config, std::move(payload)),
        m_control(control),
        m_observer(observer),
        m_started(Clock::now()),
        m_job(Scope{}.until(m_started + m_context.job_timeout(), Stop::job_timeout)),
        m_prepare(bounded(m_job, config.prepare_timeout, Stop::prepare_timeout)) {}

  JobResult play(const PlayOptions& options) {
    header();
    m_context.expand_container_names();
    MaybeTrouble trouble;
    if (std::unique_ptr<Attempt> attempt = prepared(trouble)) {
      m_attempt = attempt.get();
      trouble = run();
      if (options.keep) {
        attempt->keep();
        m_kept = attempt->directory();
      } else {
        attempt->cleanup();
      }
    }
    return result(trouble);
  }

 private:
  static Scope bounded(const Scope& scope, std::optional<std::chrono::milliseconds> timeout,
                       Stop reason) {
    if (!timeout || timeout->count() <= 0) return scope;
    return scope.until(Clock::now() + *timeout, reason);
  }

  Stop check(const Scope& scope) const { return m_control.check(scope, Clock::now()); }

  void header() {
    m_observer.note(NoteLevel::plain,
                    fmt::format("Running with gitlab-runner {} ({}), played by berth local",
                                k_runner_version, k_runner_revision));
    m_observer.note(NoteLevel::plain,
                    fmt::format("  on {} {}", m_config.name, m_config.short_token));
    for (const std::string& problem : m_context.settings().problems) {
      m_observer.note(NoteLevel::warning, problem);
    }
  }

  /// Up to three attempts, each cleaned up when it failed.
  std::unique_ptr<Attempt> prepared(MaybeTrouble& trouble) {
    m_observer.section_begin("prepare_executor", stage_title("prepare_executor"));
    std::unique_ptr<Attempt> attempt;
    for (int number = 1; number <= k_preparation_attempts; ++number) {
      attempt = std::make_unique<Attempt>(m_context, m_control, m_observer, m_calls, number);
      const auto failure = attempt->prepare(m_prepare);
      if (!failure) break;
      attempt->cleanup();
      trouble = failed(*failure);
      m_configuration_failed = attempt->configuration_failed();
      attempt.reset();
      // The job's own failure is looked at before the cancel that may have caused it.
      if (failure->kind == CallFailure::Kind::build) break;
      Stop stop = check(m_prepare);
      if (stop == Stop::none) {
        m_observer.note(NoteLevel::error, "Preparation failed: " + failure->message);
        m_observer.note(
            NoteLevel::info,
            fmt::format("Will be retried in {}s ...",
                        std::chrono::duration<double>(m_config.timing.preparation_retry).count()));
        stop = m_control.wait_until(m_prepare, Clock::now() + m_config.timing.preparation_retry);
      }
      if (stop != Stop::none) {
        trouble = stopped(stop);
        break;
      }
    }
    if (attempt) trouble.reset();
    m_observer.section_end("prepare_executor");
    return attempt;
  }

  /// All stages. A reason that ended the whole job hides what it broke.
  MaybeTrouble run() {
    for (Scope* scope : {&m_job, &m_prepare}) scope->obeys_interrupt = true;
    MaybeTrouble trouble = run_stages();
    if (const Stop stop = check(m_job); stop != Stop::none) return stopped(stop);
    return trouble;
  }

  MaybeTrouble run_stages() {
    if (const auto trouble = stage("prepare_script", m_prepare)) {
      if (trouble->stop == Stop::prepare_timeout || check(m_prepare) == Stop::prepare_timeout) {
        return stopped(Stop::prepare_timeout);
      }
      Trouble explained = *trouble;
      explained.message = fmt::format(
          "prepare environment: {}. Check "
          "https://docs.gitlab.com/runner/shells/#shell-profile-loading "
          "for more information",
          trouble->message);
      return explained;
    }
    const Scope sources = bounded(m_job, m_config.get_sources_timeout, Stop::get_sources_timeout);
    const JobSettings& settings = m_context.settings();
    MaybeTrouble trouble = repeated("get_sources", sources, settings.get_sources_attempts);
    if (trouble && check(sources) == Stop::get_sources_timeout)
      return stopped(Stop::get_sources_timeout);
    if (!trouble) trouble = repeated("restore_cache", m_job, settings.restore_cache_attempts);
    if (!trouble)
      trouble = repeated("download_artifacts", m_job, settings.artifact_download_attempts);
    if (!trouble) trouble = user_scripts();

    const MaybeTrouble cache = stage(trouble ? "archive_cache_on_failure" : "archive_cache", m_job);
    const MaybeTrouble artifacts =
        stage(trouble ? "upload_artifacts_on_failure" : "upload_artifacts_on_success", m_job);
    if (const auto cleanup = stage("cleanup_file_variables", m_job);
        cleanup && cleanup->stop == Stop::none) {
      m_observer.note(
          NoteLevel::warning,
          "Error while executing file based variables removal script: " + cleanup->message);
    }
    if (trouble) return trouble;
    return cache ? cache : artifacts;
  }

  MaybeTrouble user_scripts() {
    const Scope script = [&] {
      Scope scope =
          timed(m_job, "RUNNER_SCRIPT_TIMEOUT", std::chrono::milliseconds{0}, Stop::script_timeout);
      scope.is_script = true;
      return scope;
    }();
    m_control.scripts_begin();
    MaybeTrouble trouble;
    for (const Step& step : m_context.payload().steps) {
      if (step.name == "after_script") continue;
      std::string name = "step_" + step.name;
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      trouble = stage(name, script);
      if (trouble) break;
    }
    if (check(m_job) == Stop::none) {
      const Stop stop = check(script);
      if (stop == Stop::script_canceled) {
        m_observer.note(NoteLevel::warning, "script canceled externally (UI, API)");
      }
      if (stop != Stop::none) trouble = stopped(stop);
    }

    m_context.set_job_status(job_status(trouble));
    const Scope after = timed(m_job, "RUNNER_AFTER_SCRIPT_TIMEOUT", k_after_script_timeout,
                              Stop::after_script_timeout);
    const MaybeTrouble after_trouble = stage("after_script", after);
    if (after_trouble && check(m_job) == Stop::none) {
      if (m_context.settings().after_script_ignore_errors) {
        m_observer.note(
            NoteLevel::warning,
            "after_script failed, but job will continue unaffected: " + describe(*after_trouble));
      } else if (!trouble) {
        trouble = after_trouble;
      }
    }
    return trouble;
  }

  static std::string job_status(const MaybeTrouble& trouble) {
    if (!trouble) return "success";
    if (is_cancel(trouble->stop)) return "canceled";
    if (is_timeout(trouble->stop)) return "timedout";
    return "failed";
  }

  /// A timeout that the job's variables set, counted from now.
  Scope timed(const Scope& scope, const char* variable, std::chrono::milliseconds fallback,
              Stop reason) {
    std::chrono::milliseconds timeout = fallback;
    const std::string text = m_context.variables().value(variable);
    if (text.find_first_not_of(" \t\n") != std::string::npos) {
      const auto parsed = parse_go_duration(text);
      if (!parsed) {
        m_observer.note(NoteLevel::warning,
                        fmt::format("Ignoring malformed {} timeout: {}", variable, text));
      } else if (parsed->count() < 0) {
        m_observer.note(NoteLevel::warning,
                        fmt::format("Ignoring relative {} timeout: {}", variable, text));
      } else if (parsed->count() > 0) {
        timeout = *parsed;
      }
    }
    if (timeout.count() == 0) return scope;
    return scope.until(Clock::now() + timeout, reason);
  }

  /// A stage that GitLab lets a job repeat.
  MaybeTrouble repeated(std::string_view name, const Scope& scope, int attempts) {
    const bool exponential = m_context.flag("FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY");
    auto wait = exponential ? m_config.timing.stage_retry_min : std::chrono::milliseconds{0};
    for (int attempt = 1;; ++attempt) {
      MaybeTrouble trouble;
      // Git's submodule support can leave a checkout that no fetch repairs.
      if (attempt == 2 && name == "get_sources") trouble = stage("clear_worktree", scope);
      if (!trouble) trouble = stage(name, scope);
      if (!trouble || attempt == attempts) return trouble;
      m_observer.note(NoteLevel::warning, "Retrying...");
      if (const Stop stop = m_control.wait_until(scope, Clock::now() + wait); stop != Stop::none) {
        return stopped(stop);
      }
      wait = std::min(wait * 2, m_config.timing.stage_retry_max);
    }
  }

  MaybeTrouble stage(std::string_view name, const Scope& scope) {
    if (const Stop stop = check(scope); stop != Stop::none) return stopped(stop);
    std::optional<std::string> script;
    try {
      script = stage_script(name, m_context);
    } catch (const std::runtime_error& error) {
      return failed({CallFailure::Kind::system, 0, error.what()});
    }
    if (!script) return std::nullopt;
    m_observer.section_begin(name, stage_title(name));
    const auto failure = m_attempt->run(name, *script, scope);
    const Stop stop = check(scope);
    if (is_timeout(stop) || stop == Stop::after_script_timeout ||
        stop == Stop::get_sources_timeout) {
      m_observer.note(
          NoteLevel::warning,
          fmt::format(
              "{} could not run to completion because the timeout was exceeded. For more "
              "control over job and script timeouts see: https://docs.gitlab.com/ci/runners/"
              "configure_runners/#set-script-and-after_script-timeouts",
              name));
    }
    m_observer.section_end(name);
    if (!failure) return std::nullopt;
    return failed(*failure);
  }

  std::string describe(const Trouble& trouble) const {
    switch (trouble.stop) {
      case Stop::none:
        return trouble.message;
      case Stop::canceled:
      case Stop::aborted:
      case Stop::script_canceled:
        return "canceled";
      case Stop::interrupted:
        return "aborted: interrupt";
      case Stop::job_timeout:
      case Stop::program_timeout:
        return fmt::format("execution took longer than {}s seconds",
                           m_context.job_timeout().count());
      case Stop::prepare_timeout:
        return "prepare timeout exceeded";
      case Stop::get_sources_timeout:
        return "get_sources timeout exceeded";
      case Stop::script_timeout:
        return "script timeout: context deadline exceeded";
      case Stop::after_script_timeout:
        return "context deadline exceeded";
    }
    return {};
  }

  JobResult result(const MaybeTrouble& trouble) {
    JobResult result;
    result.calls = std::move(m_calls);
    result.kept = m_kept;
    if (!trouble) {
      m_observer.note(NoteLevel::info, "Job succeeded");
      return result;
    }
    result.message = describe(*trouble);
    result.state = JobState::failed;
    if (is_cancel(trouble->stop)) {
      result.state = JobState::canceled;
      result.failure_reason = "job_canceled";
    } else if (trouble->stop == Stop::interrupted) {
      result.failure_reason = "runner_interrupted";
    } else if (trouble->stop != Stop::none) {
      result.failure_reason = "job_execution_timeout";
    } else if (m_configuration_failed) {
      result.failure_reason = "runner_configuration_error";
    } else if (trouble->failure.kind == CallFailure::Kind::build) {
      result.failure_reason = "script_failure";
      result.exit_code = trouble->failure.exit_code;
    } else {
      result.failure_reason = "runner_system_failure";
    }
    const bool system = result.failure_reason == "runner_system_failure";
    m_observer.note(
        NoteLevel::error,
        fmt::format("Job failed{}: {}", system ? " (system failure)" : "", result.message));
    return result;
  }

  const RunnerConfig& m_config;
  BuildContext m_context;
  Control& m_control;
  Observer& m_observer;
  TimePoint m_started;
  Scope m_job;
  Scope m_prepare;
  Attempt* m_attempt = nullptr;
  std::vector<CallRecord> m_calls;
  std::filesystem::path m_kept;
  bool m_configuration_failed = false;
};

}  // namespace

JobResult play(const RunnerConfig& config, Payload payload, Control& control, Observer& observer,
               const PlayOptions& options) {
  return Player(config, std::move(payload), control, observer).play(options);
}

}  // namespace berth::local::runner
