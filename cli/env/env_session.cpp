#include "cli/env/env_session.hpp"

#include "executor/app/ledgers.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unistd.h>

namespace berth::cli {

using environments::ProjectEnvironment;

EnvSession::EnvSession(const EnvOptions& options)
    : m_settings(settings::load(options.settings.empty() ? std::nullopt
                                                         : std::optional(options.settings))),
      m_console(STDERR_FILENO, support::color_wanted() && ::isatty(STDERR_FILENO) == 1),
      m_ledger(app::make_ledger(m_settings, m_console)) {}

std::shared_ptr<environments::Ledger> EnvSession::ledger(const std::string& project) const {
  return of_project(m_ledger, project);
}

EnvFacts EnvSession::facts(const ProjectEnvironment& one) const {
  const auto own = ledger(one.project);
  return {.project = one.project,
          .name = one.name,
          .history = own->history(one.name, 0),
          .lock = own->lock_state(one.name),
          .approvals = own->approvals(one.name),
          .rule = settings::rule_of(*m_settings.environments, one.name)};
}

std::vector<ProjectEnvironment> EnvSession::all() const {
  const auto known = all_environments(*m_ledger);
  std::set<ProjectEnvironment> all(known.begin(), known.end());
  for (const auto& rule : m_settings.environments->rules) {
    if (rule.name.find_first_of("*?[{\\") == std::string::npos) all.insert({.name = rule.name});
  }
  std::vector<ProjectEnvironment> told;
  for (auto one = all.begin(); one != all.end(); ++one) {
    // All projects' comes first, and says nothing more than theirs.
    const auto next = std::next(one);
    if (one->project.empty() && next != all.end() && next->name == one->name) continue;
    told.push_back(*one);
  }
  return told;
}

void EnvSession::expect_known(const std::string& name) const {
  if (!settings::rule_of(*m_settings.environments, name).name.empty()) return;
  const auto known = all();
  if (std::any_of(known.begin(), known.end(), [&](const auto& one) { return one.name == name; }))
    return;
  throw support::OperatorError(fmt::format("no such environment: '{}'", name),
                               "`berth env list` shows those that are known");
}

ProjectEnvironment EnvSession::one(const EnvOptions& options) const {
  expect_known(options.environment);
  return {.name = options.environment,
          .project = project_meant(*m_ledger, options.environment, options.project)};
}

ProjectEnvironment EnvSession::all_or_one(const EnvOptions& options) const {
  if (!options.project.empty()) return one(options);
  expect_known(options.environment);
  return {.name = options.environment};
}

std::optional<environments::ManualLock> EnvSession::own_lock(const ProjectEnvironment& one) const {
  return m_ledger->lock_state(shared_name(one)).manual;
}

std::vector<EnvFacts> EnvSession::locked_by(const ProjectEnvironment& one) const {
  std::vector<EnvFacts> found;
  for (const ProjectEnvironment& other : all()) {
    const bool its = one.project.empty() || one.project == other.project;
    if (its && one.name == other.name) found.push_back(facts(other));
  }
  return found;
}

EnvFacts EnvSession::shown(const ProjectEnvironment& one) const {
  auto found = locked_by(one);
  return found.size() == 1 ? std::move(found.front()) : facts(one);
}

void EnvSession::tell(environments::EventType type, const ProjectEnvironment& environment,
                      const std::string& user, const std::string& text) {
  environments::Event event{.type = type, .at = support::unix_seconds(), .text = text};
  event.deployment.project = environment.project;
  event.deployment.environment = environment.name;
  event.deployment.user = user;
  environments::make_events({.targets = m_settings.environments->events}, m_console, {})
      ->tell(event);
}

std::string words(const ProjectEnvironment& one) {
  return fmt::format("'{}'{}", one.name, one.project.empty() ? "" : " of " + one.project);
}

}  // namespace berth::cli
