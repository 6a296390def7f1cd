#include "executor/environments/request.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

namespace berth::environments {
namespace {

/// For what no rule is about: the first definition is GitLab's.
std::string original(const core::Variables& variables, std::string_view key) {
  const core::Variable* const found = variables.find_original(key);
  return found == nullptr ? std::string() : found->value;
}

}  // namespace

std::string agreed(const core::Variables& variables, std::string_view key) {
  const core::Variable* first = nullptr;
  for (const core::Variable& one : variables.all()) {
    if (one.key != key) continue;
    if (first != nullptr && first->value != one.value) {
      throw support::JobError(
          fmt::format("the pipeline gives a variable of GitLab's own another value: '{}'", key),
          "deployments go by it, so remove it from `variables:`, from the project's and the "
          "group's CI/CD variables, and from dotenv reports");
    }
    first = &one;
  }
  return first == nullptr ? std::string() : first->value;
}

std::optional<Request> request_of(const core::Job& job) {
  const core::Variables& variables = job.variables;
  Request request;
  request.environment = agreed(variables, "CI_ENVIRONMENT_NAME");
  if (request.environment.empty()) return std::nullopt;
  request.slug = agreed(variables, "CI_ENVIRONMENT_SLUG");
  request.tier = agreed(variables, "CI_ENVIRONMENT_TIER");
  request.action = action_of(agreed(variables, "CI_ENVIRONMENT_ACTION"));
  request.url = original(variables, "CI_ENVIRONMENT_URL");
  request.user = agreed(variables, "GITLAB_USER_LOGIN");
  request.project =
      job.project_full_path.empty() ? agreed(variables, "CI_PROJECT_PATH") : job.project_full_path;
  request.project_id = job.project_id;
  request.ref = job.ref;
  request.ref_protected = job.ref_protected;
  request.sha = job.sha;
  request.source = agreed(variables, "CI_PIPELINE_SOURCE");
  request.pipeline = job.pipeline_id;
  request.job = job.id;
  request.job_url = original(variables, "CI_JOB_URL");
  for (const core::Variable& one : variables.all()) {
    if (one.key == "CI_DEPLOY_FREEZE" && !one.value.empty()) request.gitlab_freeze = true;
  }
  return request;
}

Deployment deployment_of(const Request& request, const std::string& id) {
  Deployment result;
  result.id = id;
  result.environment = request.environment;
  result.tier = request.tier;
  result.action = request.action;
  result.user = request.user;
  result.project = request.project;
  result.project_id = request.project_id;
  result.ref = request.ref;
  result.sha = request.sha;
  result.pipeline = request.pipeline;
  result.job = request.job;
  result.job_url = request.job_url;
  result.url = request.url;
  return result;
}

}  // namespace berth::environments
