#pragma once

#include "executor/core/cron.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// `environments:` of berth.yaml: what may be deployed, by whom and when.
namespace berth::settings {

/// From each time that `from` names to the next that `to` names. Where both name
/// one moment, the window goes on.
struct Window {
  core::Cron from{};
  core::Cron to{};
  /// "Europe/Berlin"
  std::string timezone = "UTC";
  /// For people; may be empty.
  std::string reason{};
  bool operator==(const Window&) const = default;
};

/// `lock`: what becomes of a job while another changes the environment.
struct LockRule {
  enum class Busy { wait, fail };
  Busy busy = Busy::wait;
  /// How long a job waits at most.
  std::chrono::seconds wait{1800};
  bool operator==(const LockRule&) const = default;
};

struct ApprovalRule {
  /// How many users other than the job's own; 0: none.
  unsigned count = 0;
  /// Who may approve; empty: anybody who may use the ledger.
  std::vector<std::string> users{};
  /// How long an approval is good.
  std::chrono::seconds valid_for{86400};
  bool operator==(const ApprovalRule&) const = default;
};

/// `break_glass`: a job whose variable gives a reason deploys in spite of windows.
struct BreakGlass {
  /// Empty: there is no such way.
  std::string variable{};
  /// Logins who have it; empty: all who may deploy.
  std::vector<std::string> users{};
  bool operator==(const BreakGlass&) const = default;
};

/// `gate`: what is waited for behind a deployment's script.
struct GateRule {
  bool enabled = true;
  std::chrono::seconds timeout{600};
  /// How long everything must stay well.
  std::chrono::seconds soak{0};
  /// URL that must answer 2xx or 3xx; empty: none.
  std::string probe{};
  bool operator==(const GateRule&) const = default;
};

/// `review`: environments that come and go.
struct ReviewRule {
  /// Name of the namespace that is made and removed; `{slug}` stands for the
  /// environment's slug. Empty: none.
  std::string name_space{};
  /// Manifest of what the namespace gets (quota, network policies); empty: none.
  std::filesystem::path manifest{};
  /// 0: until it is stopped.
  std::chrono::seconds ttl{0};
  bool operator==(const ReviewRule&) const = default;
};

struct EnvironmentRule {
  /// A name, or a glob such as `review/*`.
  std::string name{};
  /// Globs of project paths, of refs, and of logins; empty: all.
  std::vector<std::string> projects{};
  std::vector<std::string> refs{};
  std::vector<std::string> users{};
  /// Only refs that GitLab protects.
  bool protected_refs = false;
  /// Words of CI_PIPELINE_SOURCE; empty: all.
  std::vector<std::string> sources{};
  /// Where its deployments must go: globs of kubeconfig contexts and namespaces;
  /// empty: anywhere.
  std::vector<std::string> contexts{};
  std::vector<std::string> namespaces{};
  /// An operator's kubeconfig for looking at the environment; empty: the job's.
  std::filesystem::path kubeconfig{};
  LockRule lock{};
  std::vector<Window> freeze{};
  std::vector<Window> allow{};
  /// Obey the freeze periods of the GitLab project (CI_DEPLOY_FREEZE).
  bool gitlab_freeze = true;
  BreakGlass break_glass{};
  /// Let an older pipeline deploy than the last recorded one.
  bool outdated = false;
  ApprovalRule approvals{};
  GateRule gate{};
  enum class OnFailure { report, rollback };
  OnFailure on_failure = OnFailure::report;
  ReviewRule review{};
  bool operator==(const EnvironmentRule&) const = default;
};

/// `store`: where history, locks and approvals are.
struct LedgerStore {
  enum class Kind { file, kubernetes };
  Kind kind = Kind::file;
  /// file: a directory; empty: `environments` in state_dir.
  std::filesystem::path path{};
  /// kubernetes: of the Leases and the Secrets; the cluster is that of `kubernetes:`.
  std::string name_space{};
  /// How many deployments of an environment are kept.
  unsigned keep = 200;
  bool operator==(const LedgerStore&) const = default;
};

/// `events`: who is told of each change.
struct EventTargets {
  /// A file that gets a line of JSON each; empty: none.
  std::filesystem::path file{};
  /// URL that each is posted to; empty: none.
  std::string webhook{};
  /// File with the token of the Authorization header; empty: none.
  std::filesystem::path token_file{};
  bool operator==(const EventTargets&) const = default;
};

struct Environments {
  LedgerStore store{};
  EventTargets events{};
  /// The first whose name matches counts; without one: EnvironmentRule's defaults.
  std::vector<EnvironmentRule> rules{};
  bool operator==(const Environments&) const = default;
};

/// The rule of an environment.
const EnvironmentRule& rule_of(const Environments& settings, const std::string& environment);

}  // namespace berth::settings
