#include "executor/kubernetes/pod/metadata.hpp"

#include "executor/kubernetes/pod/environment.hpp"

#include <nlohmann/json.hpp>

namespace berth::kubernetes {
namespace {

/// gitlab-runner, executors/kubernetes/kubernetes.go, buildLabels.
Labels built_in_labels(const core::JobSpec& spec, const core::Variables& variables) {
  Labels labels;
  const auto add = [&](const char* key, std::string_view value) {
    if (std::string text = to_label_value(value); !text.empty()) labels[key] = std::move(text);
  };
  add("pod", spec.hostname);
  add("job.runner.gitlab.com/pod", spec.hostname);
  add("project.runner.gitlab.com/id", std::to_string(spec.project_id));
  add("project.runner.gitlab.com/name", variables.get("CI_PROJECT_NAME"));
  add("project.runner.gitlab.com/namespace", variables.get("CI_PROJECT_NAMESPACE"));
  add("project.runner.gitlab.com/namespace-id", variables.get("CI_PROJECT_NAMESPACE_ID"));
  add("project.runner.gitlab.com/root-namespace", variables.get("CI_PROJECT_ROOT_NAMESPACE"));
  add("manager.runner.gitlab.com/id-short", variables.get("CI_RUNNER_SHORT_TOKEN"));
  return labels;
}

/// The same file, buildPodAnnotations.
Labels built_in_annotations(const core::JobSpec& spec, const core::Variables& variables) {
  const auto known = [&](const char* name) {
    const auto found = spec.labels.find(std::string("com.gitlab.gitlab-runner.") + name);
    return found == spec.labels.end() ? std::string() : found->second;
  };
  return {{"job.runner.gitlab.com/id", std::to_string(spec.job_id)},
          {"job.runner.gitlab.com/url", known("job.url")},
          {"job.runner.gitlab.com/sha", known("job.sha")},
          {"job.runner.gitlab.com/before_sha", variables.get("CI_COMMIT_BEFORE_SHA")},
          {"job.runner.gitlab.com/ref", known("job.ref")},
          {"job.runner.gitlab.com/name", spec.job_name},
          {"job.runner.gitlab.com/timeout", known("job.timeout")},
          {"project.runner.gitlab.com/id", std::to_string(spec.project_id)}};
}

}  // namespace

nlohmann::json pod_metadata(const core::JobSpec& spec, const PodInputs& inputs) {
  Marks marks = attempt_marks(spec, inputs.host, "pod");
  marks.labels.merge(built_in_labels(spec, inputs.expanded));
  marks.annotations.merge(built_in_annotations(spec, inputs.expanded));
  for (const auto& [key, value] : inputs.settings.pod_labels) {
    marks.labels.emplace(
        key, to_label_value(expanded_setting(value, inputs.expanded, "kubernetes.pod_labels")));
  }
  for (const auto& [key, value] : inputs.settings.pod_annotations) {
    marks.annotations.emplace(
        key, expanded_setting(value, inputs.expanded, "kubernetes.pod_annotations"));
  }
  const std::chrono::seconds start_by = inputs.settings.poll_timeout + spec.connection_timeout;
  marks.annotations[std::string(k_annotation_start_by)] =
      std::to_string(inputs.now + start_by.count());
  return {{"name", pod_name(spec)}, {"labels", marks.labels}, {"annotations", marks.annotations}};
}

}  // namespace berth::kubernetes
