#pragma once

#include "executor/environments/events.hpp"
#include "executor/environments/ledger.hpp"
#include "executor/settings/environments.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/console.hpp"

#include <chrono>
#include <stop_token>

/// One deployment at a time.
namespace berth::environments {

struct LockWait {
  Ledger& ledger;
  Events& events;
  support::Console& console;
  std::stop_token stop{};
  const support::Clock& clock = support::system_clock();
  /// Between two looks.
  std::chrono::milliseconds interval{1000};
};

/// Takes the environment's lock for `deployment`, or waits for it as the rule says, telling
/// place and holder when they change. A dead holder's deployment is recorded as lost.
/// Where it throws, neither lock nor place is kept: Refusal (busy, and the rule says fail,
/// or the wait is over), support::Cancelled, and what Ledger throws.
void wait_for_lock(const LockWait& wait, const settings::LockRule& rule, const Claim& claim,
                   const Deployment& deployment);

/// Records every deployment of the environment that still says `running` as lost, but
/// for `mine`: to be called by who has the lock.
void record_lost(const LockWait& wait, const std::string& environment, const std::string& mine);

}  // namespace berth::environments
