#include "executor/environments/workloads/read_workload.hpp"

#include "executor/environments/workloads/json_reading.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

constexpr const char* k_revision = "deployment.kubernetes.io/revision";

/// What controllers and kubectl write, and nobody means to keep.
bool is_noise(const std::string& annotation) {
  return annotation == "kubectl.kubernetes.io/last-applied-configuration" ||
         annotation.starts_with("deployment.kubernetes.io/") ||
         annotation.starts_with("deprecated.daemonset.template.generation") ||
         annotation.starts_with("batch.kubernetes.io/");
}

/// An autoscaler sets the number of replicas: it does so through the subresource `scale`.
bool is_scaled(const json& metadata) {
  const json& managers = items(metadata, "managedFields");
  return std::any_of(managers.begin(), managers.end(), [](const json& one) {
    return word(one, "subresource") == "scale" &&
           member(member(one, "fieldsV1"), "f:spec").contains("f:replicas");
  });
}

std::int64_t changed_at(const json& metadata) {
  std::int64_t latest = seconds(metadata, "creationTimestamp");
  for (const json& one : items(metadata, "managedFields")) {
    if (word(one, "subresource").empty() && word(one, "manager") != "kube-controller-manager")
      latest = std::max(latest, seconds(one, "time"));
  }
  return latest;
}

json manifest_of(Kind kind, const json& object) {
  const json& metadata = member(object, "metadata");
  json kept = {{"name", word(metadata, "name")}};
  if (const json& labels = member(metadata, "labels"); labels.is_object() && !labels.empty())
    kept["labels"] = labels;
  for (const auto& [key, value] : member(metadata, "annotations").items()) {
    if (!is_noise(key)) kept["annotations"][key] = value;
  }
  json spec = member(object, "spec");
  if (spec.is_object() && is_scaled(metadata)) spec.erase("replicas");
  // The server writes null there, which says nothing.
  json* holder = spec.is_object() ? &spec : nullptr;
  if (kind == Kind::cron_job && holder != nullptr && holder->contains("jobTemplate")) {
    json& job = (*holder)["jobTemplate"];
    if (job.contains("metadata") && job["metadata"].is_object())
      job["metadata"].erase("creationTimestamp");
    holder = job.contains("spec") && job["spec"].is_object() ? &job["spec"] : nullptr;
  }
  if (holder != nullptr && holder->contains("template") &&
      member((*holder)["template"], "metadata").is_object() &&
      (*holder)["template"].contains("metadata"))
    (*holder)["template"]["metadata"].erase("creationTimestamp");
  return {{"apiVersion", api_version_of(kind)},
          {"kind", name_of(kind)},
          {"metadata", std::move(kept)},
          {"spec", std::move(spec)}};
}

std::string revision_of(Kind kind, const json& object) {
  if (kind == Kind::deployment)
    return word(member(member(object, "metadata"), "annotations"), k_revision);
  if (kind == Kind::stateful_set) return word(member(object, "status"), "updateRevision");
  return std::to_string(number(member(object, "metadata"), "generation"));
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether the pod is one of the workload's, of whatever revision.
bool is_pod_of(const json& pod, const Workload& workload) {
  const json& owner = controller(pod);
  const std::string kind = word(owner, "kind");
  const std::string name = word(owner, "name");
  switch (workload.id.kind) {
    case Kind::deployment: {
      const std::string hash = word(member(member(pod, "metadata"), "labels"), "pod-template-hash");
      return kind == "ReplicaSet" && !hash.empty() && name == workload.id.name + "-" + hash;
    }
    case Kind::cron_job: {
      const std::string front = workload.id.name + "-";
      return kind == "Job" && name.starts_with(front) &&
             is_digits(std::string_view(name).substr(front.size()));
    }
    default:
      return word(owner, "uid") == workload.uid;
  }
}

/// The container's image in the pod's own spec.
std::string wanted_image(const json& pod, const char* list, const std::string& container) {
  for (const json& one : items(member(pod, "spec"), list)) {
    if (word(one, "name") == container) return word(one, "image");
  }
  return {};
}

}  // namespace

const json& pod_template(Kind kind, const json& object) {
  const json& spec = member(object, "spec");
  if (kind == Kind::cron_job)
    return member(member(member(spec, "jobTemplate"), "spec"), "template");
  return member(spec, "template");
}

Workload read_workload(Kind kind, const json& object) {
  const json& metadata = member(object, "metadata");
  Workload workload{.id = {kind, word(metadata, "name")},
                    .uid = word(metadata, "uid"),
                    .generation = number(metadata, "generation"),
                    .revision = revision_of(kind, object),
                    .manifest = manifest_of(kind, object).dump(),
                    .owned = !controller(object).empty(),
                    .changed_at = changed_at(metadata)};
  const json& pod = member(pod_template(kind, object), "spec");
  for (const char* list : {"containers", "initContainers"}) {
    for (const json& one : items(pod, list))
      workload.images.push_back({.container = word(one, "name"), .image = word(one, "image")});
  }
  if (kind == Kind::job) {
    for (const char* end : {"Complete", "Failed"})
      workload.finished = workload.finished || word(condition(object, end), "status") == "True";
  }
  return workload;
}

std::string digest_of(const std::string& image_id) {
  const std::size_t at = image_id.rfind("sha256:");
  return at == std::string::npos ? std::string() : image_id.substr(at);
}

void add_digests(std::vector<Workload>& workloads, const json& pods) {
  if (!pods.is_array()) return;
  std::vector<const json*> oldest_first;
  for (const json& pod : pods) oldest_first.push_back(&pod);
  std::stable_sort(oldest_first.begin(), oldest_first.end(), [](const json* a, const json* b) {
    return seconds(member(*a, "metadata"), "creationTimestamp") <
           seconds(member(*b, "metadata"), "creationTimestamp");
  });
  for (Workload& workload : workloads) {
    for (const json* pod : oldest_first) {
      if (!is_pod_of(*pod, workload)) continue;
      for (const auto& [list, statuses] : {std::pair{"containers", "containerStatuses"},
                                           std::pair{"initContainers", "initContainerStatuses"}}) {
        for (const json& status : items(member(*pod, "status"), statuses)) {
          const std::string container = word(status, "name");
          const std::string digest = digest_of(word(status, "imageID"));
          for (Image& image : workload.images) {
            if (image.container == container && !digest.empty() &&
                wanted_image(*pod, list, container) == image.image)
              image.digest = digest;
          }
        }
      }
    }
  }
}

}  // namespace berth::environments::workloads
