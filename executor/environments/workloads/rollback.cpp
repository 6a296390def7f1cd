#include "executor/environments/workloads/rollback.hpp"

#include "executor/environments/workloads/json_reading.hpp"
#include "executor/environments/workloads/observe.hpp"
#include "executor/environments/workloads/pod_view.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

void apply(kubernetes::Client& client, const std::string& name_space, const Reapply& step,
           const std::stop_token& stop) {
  const kubernetes::Resource& resource = resource_of(step.id.kind);
  // First, and with the template whole, so that it is one rollout.
  if (!step.removal.empty()) {
    client.patch(resource, name_space, step.id.name, json::parse(step.removal),
                 {.type = kubernetes::PatchType::json,
                  .retry_conflict = true,
                  .field_manager = k_field_manager},
                 stop);
  }
  client.patch(resource, name_space, step.id.name, json::parse(step.manifest),
               {.type = kubernetes::PatchType::apply,
                .retry_conflict = true,
                .field_manager = k_field_manager,
                .force = true},
               stop);
}

/// A StatefulSet waits for a broken pod to become ready before it replaces it, for ever:
/// kubernetes.io/docs/concepts/workloads/controllers/statefulset, "Forced rollback".
void free_stateful_set(kubernetes::Client& client, const std::string& name_space,
                       const std::string& name, support::Console& console,
                       const std::stop_token& stop) {
  constexpr int k_looks = 50;
  for (int i = 0; i < k_looks; ++i) {
    const json object = client.get(resource_of(Kind::stateful_set), name_space, name, stop);
    if (judge_progress(Kind::stateful_set, object).observed) {
      const std::string uid = word(member(object, "metadata"), "uid");
      const std::string revision = word(member(object, "status"), "updateRevision");
      const json pods = client.list(kubernetes::resources::k_pods, name_space, {}, stop);
      for (const json& one : pods.at("items")) {
        const PodView pod = read_pod(one);
        if (pod.owner_uid != uid || pod.revision_hash == revision || pod.ready) continue;
        console.line(
            fmt::format("removing pod '{}' of StatefulSet '{}': it is not ready, and its "
                        "successor waits for that",
                        pod.name, name));
        client.remove(kubernetes::resources::k_pods, name_space, pod.name, {.uid = pod.uid}, stop);
      }
      return;
    }
    if (!support::sleep_for(std::chrono::milliseconds(200), stop)) throw support::Cancelled();
  }
}

}  // namespace

std::string RollbackOutcome::cause() const {
  if (!verdict.passed) return verdict.cause();
  return unlike.empty() ? std::string() : unlike.front();
}

RollbackOutcome roll_back(kubernetes::Client& client, const Snapshot& recorded, const GateRun& gate,
                          support::Console& console, std::stop_token stop) {
  if (!can_bring_back(recorded)) {
    throw support::OperatorError(
        fmt::format("rollback: the record of namespace '{}' has no manifest to apply",
                    recorded.name_space),
        "its Jobs are never run again, what has an owner is the owner's, and of a namespace too "
        "large for the ledger only names and images are kept");
  }
  RollbackOutcome outcome;
  outcome.before = observe(client, recorded.name_space, stop);
  if (!outcome.before.unseen.empty()) {
    throw support::OperatorError(
        fmt::format("rollback: namespace '{}' cannot be read: {}", recorded.name_space,
                    outcome.before.unseen.front()),
        "the credential needs get, list and patch on Deployments, StatefulSets, DaemonSets and "
        "CronJobs, and list on Jobs and pods");
  }
  outcome.plan = plan_rollback(recorded, outcome.before);
  for (const std::string& words : outcome.plan.left) console.line("rollback: " + words);
  for (const Reapply& step : outcome.plan.steps) {
    console.line("rollback: applying " + step.id.text() + " as recorded");
    apply(client, recorded.name_space, step, stop);
    if (step.id.kind == Kind::stateful_set)
      free_stateful_set(client, recorded.name_space, step.id.name, console, stop);
  }
  GateRun run = gate;
  run.name_space = recorded.name_space;
  run.subjects.clear();
  for (const Reapply& step : outcome.plan.steps) {
    const Workload* before = outcome.before.find(step.id);
    run.subjects.push_back({.id = step.id,
                            .uid = before != nullptr ? before->uid : std::string(),
                            .revision_before = before != nullptr ? before->revision : ""});
  }
  outcome.verdict = run_gate(client, run, console, stop);
  outcome.after = observe(client, recorded.name_space, stop);
  outcome.unlike = unlike(recorded, outcome.after);
  return outcome;
}

}  // namespace berth::environments::workloads
