#include "executor/core/names.hpp"
#include "executor/core/planner.hpp"
#include "executor/support/version.hpp"

#include <fmt/format.h>

namespace berth::core {
namespace {

/// Time a job may take beyond its timeout: what comes behind it is the stage
/// that was running (ended within its grace period) and cleanup.
constexpr std::int64_t k_slack = std::int64_t{15} * 60;

std::string original(const Job& job, std::string_view key) {
  const Variable* variable = job.variables.find_original(key);
  return variable == nullptr ? std::string() : variable->value;
}

std::map<std::string, std::string> labels_of(const Job& job, const Identity& identity,
                                             std::int64_t deadline) {
  // The built-in executor's names (executors/docker/internal/labels), so that
  // operators' tools find the objects; then our own.
  std::map<std::string, std::string> labels;
  const auto gitlab = [&](std::string_view name, std::string value) {
    labels[fmt::format("com.gitlab.gitlab-runner.{}", name)] = std::move(value);
  };
  gitlab("managed", "true");
  gitlab("job.id", std::to_string(job.id));
  gitlab("job.url", original(job, "CI_JOB_URL"));
  gitlab("job.sha", job.sha);
  gitlab("job.ref", job.ref);
  gitlab("job.timeout", fmt::format("{}s", job.timeout.count()));
  gitlab("project.id", std::to_string(job.project_id));
  gitlab("project.runner_id", identity.concurrent_project_id);
  gitlab("pipeline.id", std::to_string(job.pipeline_id));
  gitlab("runner.id", identity.runner_short_token);
  labels["berth.attempt"] = identity.attempt;
  labels["berth.host"] = identity.host;
  labels["berth.tmpdir"] = identity.tmpdir;
  labels["berth.deadline"] = std::to_string(deadline);
  labels["berth.version"] = support::version();
  return labels;
}

}  // namespace

JobSpec identify(const Job& job, const Policy& policy, const Identity& identity) {
  JobSpec spec;
  spec.backend = policy.backend;
  spec.job_id = job.id;
  spec.job_name = job.name;
  spec.project_id = job.project_id;
  spec.attempt = identity.attempt;
  spec.tmpdir = identity.tmpdir;
  spec.resource_name = fmt::format("berth-{}-{}", job.id, identity.attempt);
  spec.hostname =
      host_label(fmt::format("runner-{}-project-{}-concurrent-{}", identity.runner_short_token,
                             job.project_id, identity.concurrent_project_id));
  spec.builds_dir = "/builds";
  spec.cache_dir = "/cache";
  spec.deadline = identity.now + job.timeout.count() + k_slack;
  spec.orphan_timeout = policy.orphan_timeout;
  spec.connection_timeout = policy.connection_timeout;
  spec.pull_retry_timeout = policy.pull_retry_timeout;
  spec.wait_for_services_timeout = policy.wait_for_services_timeout;
  spec.labels = labels_of(job, identity, spec.deadline);
  return spec;
}

}  // namespace berth::core
