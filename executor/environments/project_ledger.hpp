#pragma once

#include "executor/environments/ledger.hpp"

#include <compare>
#include <memory>
#include <string>
#include <vector>

/// Whose environment it is. In GitLab an environment belongs to a project: one's "production"
/// has nothing to do with another's. In a ledger that many projects share it is called
/// "group/polls:production"; neither paths of projects nor names of environments have a colon
/// (docs.gitlab.com/ci/yaml/#environmentname).
///
/// A name without a project, "production", is that of all projects: an operator's lock of it
/// holds for each of theirs, whether they have deployed yet or not.
namespace berth::environments {

struct ProjectEnvironment {
  std::string name{};
  /// Path with its groups; empty: all projects.
  std::string project{};
  /// By name, then by project.
  auto operator<=>(const ProjectEnvironment&) const = default;
};

/// What the shared ledger calls it, and back. Pure.
std::string shared_name(const ProjectEnvironment& environment);
ProjectEnvironment from_shared_name(const std::string& name);

/// Every project's environments, sorted. Throws what Ledger does.
std::vector<ProjectEnvironment> all_environments(Ledger& shared);

/// The project whose environment of that name is meant: the one asked for, else the only one
/// that has it; empty where none has. Throws OperatorError where several have, or the one
/// asked for has not.
std::string project_meant(Ledger& shared, const std::string& environment, const std::string& asked);

/// One project's environments, by the names that the project gives them. Without a project:
/// the shared ledger itself.
std::shared_ptr<Ledger> of_project(std::shared_ptr<Ledger> shared, const std::string& project);

}  // namespace berth::environments
