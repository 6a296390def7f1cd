#pragma once

#include "executor/environments/workloads/gate.hpp"
#include "executor/environments/workloads/read_workload.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

/// Objects as an API server gives them, as far as these tests look at them.
namespace berth::tests {

inline constexpr const char* k_start = "2026-11-21T18:00:00Z";
inline constexpr const char* k_later = "2026-11-21T18:10:00Z";

struct DeploymentParts {
  std::string image = "app:v1";
  int generation = 1;
  int observed = 1;
  std::string revision = "1";
  int replicas = 1;
  int updated = 1;
  int all = 1;
  int available = 1;
  std::string changed = k_start;
};

inline nlohmann::json deployment(const DeploymentParts& parts = {}) {
  return {{"metadata",
           {{"name", "web"},
            {"namespace", "shop"},
            {"uid", "d1"},
            {"generation", parts.generation},
            {"creationTimestamp", k_start},
            {"annotations", {{"deployment.kubernetes.io/revision", parts.revision}}},
            {"managedFields", {{{"manager", "kubectl"}, {"time", parts.changed}}}}}},
          {"spec",
           {{"replicas", parts.replicas},
            {"progressDeadlineSeconds", 600},
            {"selector", {{"matchLabels", {{"app", "web"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "web"}}}, {"creationTimestamp", nullptr}}},
              {"spec", {{"containers", {{{"name", "app"}, {"image", parts.image}}}}}}}}}},
          {"status",
           {{"observedGeneration", parts.observed},
            {"replicas", parts.all},
            {"updatedReplicas", parts.updated},
            {"availableReplicas", parts.available},
            {"conditions", nlohmann::json::array()}}}};
}

inline nlohmann::json replica_set(const std::string& uid, const std::string& revision) {
  return {{"metadata",
           {{"name", "web-" + uid},
            {"uid", uid},
            {"annotations", {{"deployment.kubernetes.io/revision", revision}}},
            {"ownerReferences",
             {{{"kind", "Deployment"}, {"name", "web"}, {"uid", "d1"}, {"controller", true}}}}}}};
}

/// A pod of replica set `owner` whose container is in `state` ({"running": {}}, ...).
inline nlohmann::json pod(const std::string& uid, const std::string& owner,
                          const nlohmann::json& state, int restarts = 0,
                          const std::string& image = "app:v1") {
  return {{"metadata",
           {{"name", "web-" + owner + "-" + uid},
            {"uid", uid},
            {"creationTimestamp", k_later},
            {"labels", {{"app", "web"}, {"pod-template-hash", owner}}},
            {"ownerReferences",
             {{{"kind", "ReplicaSet"},
               {"name", "web-" + owner},
               {"uid", owner},
               {"controller", true}}}}}},
          {"spec", {{"containers", {{{"name", "app"}, {"image", image}}}}}},
          {"status",
           {{"phase", "Running"},
            {"conditions", nlohmann::json::array()},
            {"containerStatuses",
             {{{"name", "app"},
               {"image", "docker.io/library/" + image},
               {"imageID", "docker.io/library/app@sha256:" + std::string(64, 'a')},
               {"ready", state.contains("running")},
               {"restartCount", restarts},
               {"state", state},
               {"lastState", nlohmann::json::object()}}}}}}};
}

inline nlohmann::json job(const std::string& image, const std::string& end,
                          const std::string& uid) {
  nlohmann::json one = {
      {"metadata",
       {{"name", "migrate"}, {"uid", uid}, {"generation", 1}, {"creationTimestamp", k_start}}},
      {"spec",
       {{"completions", 1},
        {"template", {{"spec", {{"containers", {{{"name", "run"}, {"image", image}}}}}}}}}},
      {"status", {{"conditions", nlohmann::json::array()}}}};
  if (!end.empty())
    one["status"]["conditions"].push_back({{"type", end},
                                           {"status", "True"},
                                           {"reason", "BackoffLimitExceeded"},
                                           {"message", "limit"}});
  return one;
}

inline environments::workloads::Snapshot snapshot(
    const std::vector<std::pair<environments::workloads::Kind, nlohmann::json>>& objects,
    const std::vector<nlohmann::json>& pods = {}) {
  environments::workloads::Snapshot all{.server = "10.0.0.1:6443", .name_space = "shop"};
  for (const auto& [kind, object] : objects)
    all.workloads.push_back(environments::workloads::read_workload(kind, object));
  environments::workloads::add_digests(all.workloads, nlohmann::json(pods));
  return all;
}

}  // namespace berth::tests
