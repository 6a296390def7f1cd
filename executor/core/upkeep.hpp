#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::core {

/// What `berth gc` is to take away.
struct GarbageRequest {
  /// Find and judge, but remove nothing.
  bool dry_run = false;
  /// Docker: kept checkouts and caches that no job has used for this long; nothing:
  /// they all stay.
  std::optional<std::chrono::seconds> volumes_unused_for = std::nullopt;
  /// Kubernetes: namespaces to look in beside the settings' own, where jobs may
  /// choose theirs.
  std::vector<std::string> namespaces = {};
};

/// One object that is left over.
struct Garbage {
  /// "container", "network", "volume", "directory", "pod", "namespace"
  std::string kind{};
  std::string name{};
  /// Why nobody will use it again: "the job's deadline passed at 2026-11-21 04:24 UTC".
  std::string reason{};
  /// Why it could not be removed; empty: it is gone (or would be, in a dry run).
  std::string failure{};
  bool operator==(const Garbage&) const = default;
};

enum class Health { good, warning, failed, skipped };

/// One thing that was looked at, for `berth doctor`.
struct Finding {
  /// "cluster", "rights", "agent", "exec", ...: the same words each time.
  std::string check{};
  Health health = Health::good;
  /// What was seen: one line.
  std::string text{};
  /// What to do about it; empty where all is well.
  std::string remedy{};
  bool operator==(const Finding&) const = default;
};

/// What operators ask of a place where jobs live, beside the jobs: implemented by
/// each backend. Throws support::Error where nothing can be found out, and
/// support::Cancelled.
class Upkeep {
 public:
  virtual ~Upkeep() = default;

  /// Removes what jobs left behind whose driver is gone. Takes only what provably
  /// nobody uses: an attempt's TMPDIR is gone (seen from here), its containers ended
  /// a while ago, or its deadline has passed. Again, or by several at once: no harm.
  virtual std::vector<Garbage> collect_garbage(const GarbageRequest& request,
                                               std::stop_token stop) = 0;

  /// Whether jobs could live there, as far as can be told without making one: is it
  /// there, what may this user do, is there an agent for its machines. What is wrong
  /// is a finding, never an exception; only Cancelled is thrown.
  virtual std::vector<Finding> examine(std::stop_token stop) = 0;
};

}  // namespace berth::core
