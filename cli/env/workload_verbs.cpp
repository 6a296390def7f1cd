#include "cli/env/workload_verbs.hpp"

#include "cli/env/common_options.hpp"
#include "cli/env/env_view.hpp"
#include "executor/app/env_actions.hpp"
#include "executor/app/ledgers.hpp"
#include "executor/environments/project_ledger.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/console.hpp"
#include "executor/support/error.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <exception>
#include <optional>
#include <unistd.h>
#include <vector>

namespace berth::cli {
namespace {

using environments::workloads::Difference;

/// Exit codes of `drift`, as of diff(1).
constexpr int k_same = 0;
constexpr int k_differs = 1;
constexpr int k_trouble = 2;

settings::Settings load(const EnvOptions& options) {
  return settings::load(options.settings.empty() ? std::nullopt : std::optional(options.settings));
}

void print(const std::vector<Difference>& all, bool as_json, const char* none) {
  if (as_json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Difference& one : all) list.push_back(to_json(one));
    fmt::print("{}\n", list.dump(2));
    return;
  }
  for (const Difference& one : all) fmt::print("{}\n", words(one));
  if (all.empty()) fmt::print("{}\n", none);
}

std::optional<std::int64_t> given(std::int64_t number) {
  return number == 0 ? std::nullopt : std::optional(number);
}

}  // namespace

WorkloadVerbs::WorkloadVerbs(CLI::App& env)
    : m_diff(env.add_subcommand("diff", "What a deployment changed, or what lies between two")),
      m_drift(env.add_subcommand(
          "drift", "What runs against what is recorded; exit 0 same, 1 differs, 2 trouble")),
      m_rollback(env.add_subcommand("rollback", "Apply again what a deployment left")),
      m_promote(env.add_subcommand("promote", "Take the images that passed in one to another")),
      m_stop(env.add_subcommand("stop", "Remove a review environment's namespace")) {
  for (CLI::App* const verb : {m_diff, m_drift, m_rollback, m_promote, m_stop}) {
    add_common_options(*verb, m_options, true);
  }
  m_diff->add_option("number", m_options.number, "Of the deployment (default: the newest)")
      ->check(CLI::PositiveNumber);
  m_diff->add_option("other", m_options.other, "Of another, which it is compared to")
      ->check(CLI::PositiveNumber);
  m_rollback
      ->add_option("--to", m_options.number,
                   "Number of the deployment (default: the last good one before the newest)")
      ->check(CLI::PositiveNumber);
  m_promote->add_option("target", m_options.target, "The environment that gets them")->required();
}

bool WorkloadVerbs::parsed() const {
  return m_diff->parsed() || m_drift->parsed() || m_rollback->parsed() || m_promote->parsed() ||
         m_stop->parsed();
}

int WorkloadVerbs::run() const {
  if (m_diff->parsed()) return diff();
  return m_drift->parsed() ? drift() : change();
}

int WorkloadVerbs::diff() const {
  const settings::Settings settings = load(m_options);
  support::StreamConsole console(STDERR_FILENO, support::color_wanted());
  const auto shared = app::make_ledger(settings, console);
  const auto project =
      environments::project_meant(*shared, m_options.environment, m_options.project);
  const auto history = of_project(shared, project)->history(m_options.environment, 0);
  print(app::recorded_diff(history, given(m_options.number), given(m_options.other)),
        m_options.json, "no workload differs");
  return 0;
}

int WorkloadVerbs::drift() const {
  support::StreamConsole console(STDERR_FILENO, support::color_wanted());
  try {
    const settings::Settings settings = load(m_options);
    // Without `environments` there is no record.
    const auto shared = app::make_ledger(settings, console);
    const auto all = app::env_drift(
        {.settings = settings,
         .console = console,
         .project = environments::project_meant(*shared, m_options.environment, m_options.project),
         .environment = m_options.environment,
         .user = operator_account()});
    print(all, m_options.json, "everything runs as recorded");
    return all.empty() ? k_same : k_differs;
  } catch (const support::Error& error) {
    console.error(error.what(), error.hint());
    return k_trouble;
  } catch (const std::exception& error) {
    console.error(error.what(), {});
    return k_trouble;
  }
}

int WorkloadVerbs::change() const {
  const settings::Settings settings = load(m_options);
  support::StreamConsole console(STDERR_FILENO, support::color_wanted());
  const std::string& changed = m_promote->parsed() ? m_options.target : m_options.environment;
  const auto shared = app::make_ledger(settings, console);
  app::EnvAction action{.settings = settings,
                        .console = console,
                        .project = environments::project_meant(*shared, changed, m_options.project),
                        .environment = changed,
                        .user = operator_account()};
  environments::Deployment done;
  if (m_rollback->parsed()) {
    done = app::env_rollback(action, m_options.number);
  } else if (m_promote->parsed()) {
    done = app::env_promote(action, m_options.environment);
  } else {
    done = app::env_stop(action);
  }
  if (m_options.json) {
    fmt::print("{}", history_json({done}));
  } else {
    fmt::print("deployment {} of '{}': {}{}\n", done.number, action.environment,
               to_string(done.result), done.cause.empty() ? "" : ": " + done.cause);
  }
  return done.result == environments::Result::success ? 0 : 1;
}

}  // namespace berth::cli
