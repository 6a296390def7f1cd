#pragma once

#include "executor/environments/workloads/workload.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

/// From the API's objects to values (kubernetes.io/docs/reference, apps/v1, batch/v1). Pure.
namespace berth::environments::workloads {

/// Its digests are not in it: add_digests() has them from the pods.
Workload read_workload(Kind kind, const nlohmann::json& object);

/// spec.template of a Deployment, spec.jobTemplate.spec.template of a CronJob, ...
const nlohmann::json& pod_template(Kind kind, const nlohmann::json& object);

/// "sha256:…" of a pod's imageID, which is "registry/name@sha256:…" or the digest alone.
std::string digest_of(const std::string& image_id);

/// Of the pods (a list's items), those that run what the workload's manifest says now
/// give it their digests. Of two that differ (a tag that moved), the younger counts.
void add_digests(std::vector<Workload>& workloads, const nlohmann::json& pods);

}  // namespace berth::environments::workloads
