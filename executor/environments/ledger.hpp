#pragma once

#include "executor/environments/deployment.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What is remembered of environments, and who may change one now.
namespace berth::environments {

/// Who wants an environment's lock: an attempt of a job, or an operator's command.
struct Claim {
  /// Deployment::id. The same claim again is answered as before.
  std::string id{};
  std::string user{};
  /// Job URL; or what an operator's command says of itself.
  std::string who{};
  /// The state folder (state::host_id without a TMPDIR) whose claim it is: only there
  /// can `heartbeat` be looked at.
  std::string host{};
  /// Seconds since the epoch. The job's containers are ended by then, so the lock
  /// is over by then too, whatever happens to its holder.
  std::int64_t until = 0;
  /// A file that the holder's programs touch (heartbeat.hpp); empty: none.
  std::string heartbeat{};
  /// How long after the last touch the holder's containers may live on.
  std::chrono::seconds silence{};
};

/// A lock, or a place in the queue for it.
struct Holder {
  std::string id{};
  std::string user{};
  std::string who{};
  /// Seconds since the epoch.
  std::int64_t since = 0;
  /// The lock ends by then, or earlier where its holder's host sees it silent.
  std::int64_t expires = 0;
  bool operator==(const Holder&) const = default;
};

/// `berth env lock`: nobody deploys until it is taken away or `until` has come.
struct ManualLock {
  std::string user{};
  std::string reason{};
  std::int64_t since = 0;
  /// 0: until it is taken away.
  std::int64_t until = 0;
  bool operator==(const ManualLock&) const = default;
};

struct LockState {
  std::optional<ManualLock> manual{};
  std::optional<Holder> holder{};
  /// In the order in which they will have the lock.
  std::vector<Holder> waiting{};
  bool operator==(const LockState&) const = default;
};

struct LockAnswer {
  bool held = false;
  /// Not held: place in the queue, from 1.
  std::size_t position = 0;
  LockState state{};
  /// Who had it, and was found to be over: dead, or past its time.
  std::optional<Holder> ended{};
};

/// "This user agrees that this pipeline deploys there."
struct Approval {
  std::string user{};
  std::string project{};
  std::int64_t pipeline = 0;
  std::string comment{};
  /// Seconds since the epoch.
  std::int64_t at = 0;
  bool operator==(const Approval&) const = default;
};

/// How a deployment has ended.
struct Conclusion {
  Result result = Result::success;
  std::string cause{};
  std::vector<Workload> workloads{};
  std::string cluster{};
  std::string name_space{};
};

/// The record with its end. What the conclusion does not say is kept. Pure.
void conclude(Deployment& deployment, const Conclusion& conclusion, std::int64_t now);

/// History, locks and approvals of environments. What a method has returned from
/// is on disk (or with the API server) and survives a kill at any instant; a kill
/// in the midst leaves the old state or the new one. Safe for many processes at
/// once; one object for one thread.
///
/// A record that still says `running` while somebody else has the lock is of a job
/// whose driver was killed: who takes the lock records it as lost.
///
/// All throw SystemError (or OperatorError: rights, a path that is none).
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Names of all environments of which something is known, sorted.
  virtual std::vector<std::string> environments() = 0;

  /// Records that it has begun and gives its number. Known id: what is recorded.
  virtual Deployment begin(Deployment deployment) = 0;
  /// Records how it ended; the last word counts. SystemError for an unknown id.
  virtual void finish(const std::string& environment, const std::string& id,
                      const Conclusion& conclusion) = 0;
  /// Newest first; 0: all that is kept.
  virtual std::vector<Deployment> history(const std::string& environment, std::size_t limit) = 0;

  /// Takes the lock, or takes (or keeps) a place in the queue: to be called again,
  /// every few seconds. Locks and places whose time is over are swept first.
  virtual LockAnswer try_lock(const std::string& environment, const Claim& claim) = 0;
  /// Gives back the lock or the place in the queue; none of either is success.
  virtual void leave(const std::string& environment, const std::string& id) = 0;
  virtual LockState lock_state(const std::string& environment) = 0;
  /// Nothing takes a lock away by hand.
  virtual void set_manual_lock(const std::string& environment,
                               const std::optional<ManualLock>& lock) = 0;

  virtual void approve(const std::string& environment, const Approval& approval) = 0;
  /// Oldest first.
  virtual std::vector<Approval> approvals(const std::string& environment) = 0;
};

}  // namespace berth::environments
