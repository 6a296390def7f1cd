#pragma once

#include "cli/env/env_command.hpp"
#include "cli/env/env_view.hpp"
#include "executor/environments/events.hpp"
#include "executor/environments/project_ledger.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/console.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::cli {

/// What the verbs of `berth env` work with: the settings, the ledger, and whose environment
/// is meant. All throw what Ledger does; the constructor also OperatorError for the settings.
class EnvSession {
 public:
  explicit EnvSession(const EnvOptions& options);

  std::shared_ptr<environments::Ledger> ledger(const std::string& project) const;
  EnvFacts facts(const environments::ProjectEnvironment& one) const;

  /// The projects', and names of which no project has anything yet: of rules that are no
  /// patterns, and of locks. Sorted.
  std::vector<environments::ProjectEnvironment> all() const;

  /// Throws OperatorError for a name that neither the ledger nor a rule has: a typing error
  /// must not make an environment.
  void expect_known(const std::string& name) const;
  /// The one that is meant; OperatorError where that is not clear.
  environments::ProjectEnvironment one(const EnvOptions& options) const;
  /// What a lock is of: all projects, unless one is named.
  environments::ProjectEnvironment all_or_one(const EnvOptions& options) const;

  /// The lock by hand of just this, and not of all projects where it is a project's.
  std::optional<environments::ManualLock> own_lock(
      const environments::ProjectEnvironment& one) const;
  /// Those for which a lock of this one holds.
  std::vector<EnvFacts> locked_by(const environments::ProjectEnvironment& one) const;
  /// What is told of it behind a change: of all projects' the only one's, where there is one.
  EnvFacts shown(const environments::ProjectEnvironment& one) const;

  void tell(environments::EventType type, const environments::ProjectEnvironment& environment,
            const std::string& user, const std::string& text);

 private:
  settings::Settings m_settings;
  support::StreamConsole m_console;
  std::shared_ptr<environments::Ledger> m_ledger;
};

/// "'production'", or "'production' of group/polls"
std::string words(const environments::ProjectEnvironment& one);

}  // namespace berth::cli
