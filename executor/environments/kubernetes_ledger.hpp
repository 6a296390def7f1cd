#pragma once

#include "executor/environments/ledger.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/support/clock.hpp"

#include <cstddef>
#include <memory>
#include <string>

/// The ledger in a namespace of a cluster, for several managers. Of each environment:
///
/// - a Lease `berth-env-<name>-<hash>`: its spec says who has the lock and until when, its
///   annotation `berth.page` is the page (lock_book.hpp), changed only in the version that
///   was read;
/// - a Secret `<that>-<number>` per deployment, with the record as JSON: its manifests may
///   hold what their authors wrote into `env`.
///
/// Rights: leases get, list, create, patch; secrets get, list, create, patch, delete. Who may
/// list a namespace's Secrets may read them all, so the ledger's is best its own.
namespace berth::environments {

struct KubernetesLedgerOptions {
  std::string name_space{};
  /// Deployments of an environment that are kept.
  std::size_t keep = 200;
  /// Claim::host of this machine; empty: heartbeats are not looked at.
  std::string host{};
  /// Of a record: an object must be smaller than 1 MiB. Beyond it manifests are left out,
  /// then workloads.
  std::size_t max_record = std::size_t{900} << 10;
};

/// Calls nothing before it is used. `clock` must outlive it.
std::unique_ptr<Ledger> make_kubernetes_ledger(
    std::unique_ptr<kubernetes::Client> client, KubernetesLedgerOptions options,
    const support::Clock& clock = support::system_clock());

}  // namespace berth::environments
