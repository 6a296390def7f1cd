#pragma once

#include "executor/environments/ledger.hpp"
#include "executor/support/clock.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

/// The ledger on a manager's disk:
///
///     <root>/<environment>/name       the environment's name as it is
///     <root>/<environment>/journal    a line of JSON per change of a deployment
///     <root>/<environment>/lock.json  who has the lock, who waits, who approved
///     <root>/<environment>/guard      empty; flock'd around each change
///
/// The journal is only appended to, each line synced before the call returns; of two
/// lines about one deployment the later counts. A line that a kill or a power cut has
/// left torn is skipped, and ended before the next one. lock.json is replaced as a whole.
namespace berth::environments {

struct FileLedgerOptions {
  std::filesystem::path root{};
  /// Deployments of an environment that are kept; the journal is written anew when it
  /// has twice as many.
  std::size_t keep = 200;
  /// Claim::host of this machine; empty: heartbeats are not looked at.
  std::string host{};
};

/// Makes nothing before the first change. `clock` must outlive it.
std::unique_ptr<Ledger> make_file_ledger(FileLedgerOptions options,
                                         const support::Clock& clock = support::system_clock());

}  // namespace berth::environments
