#include "executor/environments/project_ledger.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace berth::environments {
namespace {

constexpr char k_between = ':';

class ProjectLedger final : public Ledger {
 public:
  ProjectLedger(std::shared_ptr<Ledger> shared, std::string project)
      : m_shared(std::move(shared)), m_project(std::move(project)) {}

  std::vector<std::string> environments() override {
    std::vector<std::string> names;
    for (auto& one : all_environments(*m_shared)) {
      if (one.project == m_project) names.push_back(std::move(one.name));
    }
    return names;
  }

  Deployment begin(Deployment deployment) override {
    deployment.environment = named(deployment.environment);
    return given_back(m_shared->begin(std::move(deployment)));
  }

  void finish(const std::string& environment, const std::string& id,
              const Conclusion& conclusion) override {
    m_shared->finish(named(environment), id, conclusion);
  }

  std::vector<Deployment> history(const std::string& environment, std::size_t limit) override {
    auto all = m_shared->history(named(environment), limit);
    for (Deployment& one : all) one = given_back(std::move(one));
    return all;
  }

  LockAnswer try_lock(const std::string& environment, const Claim& claim) override {
    LockAnswer answer = m_shared->try_lock(named(environment), claim);
    if (!answer.held) return answer;
    answer.state.manual = m_shared->lock_state(environment).manual;
    if (!answer.state.manual) return answer;
    // Locked for all projects since it was asked for.
    m_shared->leave(named(environment), claim.id);
    answer.state.holder.reset();
    answer.held = false;
    answer.position = 1;
    return answer;
  }

  void leave(const std::string& environment, const std::string& id) override {
    m_shared->leave(named(environment), id);
  }

  LockState lock_state(const std::string& environment) override {
    LockState state = m_shared->lock_state(named(environment));
    if (!state.manual) state.manual = m_shared->lock_state(environment).manual;
    return state;
  }

  void set_manual_lock(const std::string& environment,
                       const std::optional<ManualLock>& lock) override {
    m_shared->set_manual_lock(named(environment), lock);
  }

  void approve(const std::string& environment, const Approval& approval) override {
    m_shared->approve(named(environment), approval);
  }

  std::vector<Approval> approvals(const std::string& environment) override {
    return m_shared->approvals(named(environment));
  }

 private:
  std::string named(const std::string& environment) const {
    return shared_name({.name = environment, .project = m_project});
  }

  static Deployment given_back(Deployment deployment) {
    deployment.environment = from_shared_name(deployment.environment).name;
    return deployment;
  }

  std::shared_ptr<Ledger> m_shared;
  std::string m_project;
};

}  // namespace

std::string shared_name(const ProjectEnvironment& environment) {
  if (environment.project.empty()) return environment.name;
  return fmt::format("{}{}{}", environment.project, k_between, environment.name);
}

ProjectEnvironment from_shared_name(const std::string& name) {
  const auto between = name.find(k_between);
  if (between == std::string::npos) return {.name = name};
  return {.name = name.substr(between + 1), .project = name.substr(0, between)};
}

std::vector<ProjectEnvironment> all_environments(Ledger& shared) {
  std::vector<ProjectEnvironment> all;
  for (const std::string& name : shared.environments()) all.push_back(from_shared_name(name));
  std::sort(all.begin(), all.end());
  return all;
}

std::string project_meant(Ledger& shared, const std::string& environment,
                          const std::string& asked) {
  std::vector<std::string> projects;
  for (auto& one : all_environments(shared)) {
    if (one.name == environment && !one.project.empty()) projects.push_back(std::move(one.project));
  }
  if (!asked.empty()) {
    if (std::find(projects.begin(), projects.end(), asked) != projects.end()) return asked;
    throw support::OperatorError(
        fmt::format("project '{}' has deployed nothing to an environment '{}'", asked, environment),
        projects.empty() ? "`berth env list` shows which project has which"
                         : fmt::format("these have: {}", fmt::join(projects, ", ")));
  }
  if (projects.size() > 1) {
    throw support::OperatorError(
        fmt::format("{} projects have an environment '{}': {}", projects.size(), environment,
                    fmt::join(projects, ", ")),
        "say which one by --project");
  }
  return projects.empty() ? std::string() : projects.front();
}

std::shared_ptr<Ledger> of_project(std::shared_ptr<Ledger> shared, const std::string& project) {
  if (project.empty()) return shared;
  return std::make_shared<ProjectLedger>(std::move(shared), project);
}

}  // namespace berth::environments
