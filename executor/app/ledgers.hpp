#pragma once

#include "executor/environments/ledger.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/console.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace berth::app {

/// A project's environments (environments/project_ledger.hpp) in the ledger that
/// `environments.store` names; without a project that ledger, which all share. `console` is
/// told of trouble on the way to a cluster, and must outlive it. Throws OperatorError where
/// the settings have no `environments`.
std::shared_ptr<environments::Ledger> make_ledger(const settings::Settings& settings,
                                                  support::Console& console,
                                                  const std::string& project = {});

/// Claim::host of this machine.
std::string ledger_host(const settings::Settings& settings);

/// The file that the programs of a job touch.
std::filesystem::path heartbeat_file(const settings::Settings& settings, const std::string& id);

}  // namespace berth::app
