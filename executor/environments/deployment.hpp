#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What Berth records of a deployment: values, no I/O. JSON: deployment_json.hpp.
namespace berth::environments {

/// `environment:action` of a job. Only start and stop change an environment.
enum class Action { start, prepare, verify, access, stop };

std::string_view to_string(Action action);
/// Throws JobError for a word that GitLab does not know; "" is start.
Action action_of(std::string_view word);
/// Start and stop.
bool is_deployment(Action action);

/// What asked for a deployment.
enum class Origin { job, rollback, promotion, stop };

std::string_view to_string(Origin origin);

enum class Result {
  running,   ///< begun, and nobody has said yet how it ended
  success,   ///< the script succeeded, and the gate (where there is one) let it pass
  failed,    ///< the script or the gate failed: Deployment::cause says why
  canceled,  ///< cancelled, or over its time
  lost,      ///< its driver was killed: how it ended is not known
};

std::string_view to_string(Result result);

/// One container of a workload.
struct ContainerImage {
  std::string container{};
  /// As the manifest has it: "registry.example.com/app:1.2"
  std::string image{};
  /// What the node really runs: "sha256:..."; empty where nobody could tell.
  std::string digest{};
  bool operator==(const ContainerImage&) const = default;
};

enum class Change { unchanged, created, updated, removed };

std::string_view to_string(Change change);

/// A Deployment, StatefulSet, DaemonSet, Job or CronJob of the environment.
struct Workload {
  std::string kind{};
  std::string name_space{};
  std::string name{};
  Change change = Change::unchanged;
  /// After the deployment; of a removed one: before it.
  std::vector<ContainerImage> containers{};
  /// Of a Deployment its rollout's, as `kubectl rollout history` counts them; of others
  /// metadata.generation. 0: the object was not there.
  std::int64_t revision_before = 0;
  std::int64_t revision_after = 0;
  /// The object as JSON, fit to be applied again; empty where it is not kept.
  std::string manifest{};
  bool operator==(const Workload&) const = default;
};

/// Who and what deploys; from the trusted payload of the job, or from the
/// operator's command.
struct Deployment {
  /// Random, hexadecimal; for a job: the name of its attempt.
  std::string id{};
  /// Counts from 1 in each environment; 0 until the ledger has given it.
  std::int64_t number = 0;
  std::string environment{};
  /// production, staging, testing, development, other; or empty.
  std::string tier{};
  Action action = Action::start;
  Origin origin = Origin::job;
  /// Number of the deployment that a rollback goes back to or a promotion copies.
  std::int64_t of_number = 0;
  /// For a promotion: where it comes from.
  std::string of_environment{};

  /// GitLab login, or the operating system's account for operators' commands.
  std::string user{};
  std::string project{};
  std::int64_t project_id = 0;
  std::string ref{};
  std::string sha{};
  std::int64_t pipeline = 0;
  std::int64_t job = 0;
  std::string job_url{};
  /// What the job says its environment's address is; not expanded.
  std::string url{};
  /// Where: API server and namespace, as far as known.
  std::string cluster{};
  std::string name_space{};
  /// The reason given with the break-glass variable; empty: none was needed.
  std::string break_glass{};
  /// Users whose approval was asked for and given.
  std::vector<std::string> approved_by{};

  /// Seconds since the epoch; 0 while it runs.
  std::int64_t started = 0;
  std::int64_t ended = 0;
  Result result = Result::running;
  /// One line; empty for success.
  std::string cause{};
  std::vector<Workload> workloads{};
  bool operator==(const Deployment&) const = default;
};

}  // namespace berth::environments
