#include "cli/local/job_payload.hpp"

#include "cli/local/pipeline/variables.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <charconv>

namespace berth::local {
namespace {

/// A new GitLab project's `git depth`.
constexpr int k_default_depth = 20;
constexpr std::int64_t k_default_timeout = 3600;
constexpr std::size_t k_shortest_masked = 8;

runner::Variable to_runner(const core::Variable& variable) {
  return {.key = variable.key,
          .value = variable.value,
          .is_public = variable.is_public,
          .file = variable.file,
          .masked = variable.masked,
          .raw = variable.raw};
}

runner::Image to_runner(const core::Image& image) {
  runner::Image result{.name = image.name,
                       .alias = image.alias,
                       .entrypoint = image.entrypoint,
                       .pull_policy = image.pull_policy,
                       .docker_platform = image.docker_platform,
                       .docker_user = image.docker_user,
                       .kubernetes_user = image.kubernetes_user};
  if (image.command) result.command = *image.command;
  for (const core::Variable& variable : image.variables)
    result.variables.push_back(to_runner(variable));
  return result;
}

std::vector<core::Variable> all_variables(const pipeline::Job& job, const RunFacts& facts,
                                          const JobRun& run) {
  std::vector<core::Variable> all = pipeline_predefined(facts);
  const auto append = [&all](const std::vector<core::Variable>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  append(job_predefined(facts, run.id, run.token, iso_now(), job.when == pipeline::When::manual));
  append(job.predefined);
  append(job.variables);
  for (const auto& [key, value] : run.dotenv) all.push_back({.key = key, .value = value});
  const std::string environment =
      job.environment ? pipeline::expand(job.environment->name, core::Variables(all))
                      : std::string{};
  append(visible(facts.project_variables, facts.ref_protected, environment));
  append(facts.pipeline_variables);
  pipeline::Expanded expanded = pipeline::sort_and_expand(std::move(all));
  if (!expanded.circle.empty()) {
    throw support::JobError(
        fmt::format("variables of job \"{}\" refer to each other in a circle: {}", job.name,
                    fmt::join(expanded.circle, ", ")));
  }
  return std::move(expanded.variables);
}

/// Words that GitLab itself uploads under their own types.
void add_report(runner::Payload& payload, const pipeline::Artifacts& artifacts,
                const std::string& type, const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  payload.artifacts.push_back({.name = type == "dotenv" ? ".env" : type + ".xml",
                               .paths = paths,
                               .when = "always",
                               .type = type,
                               .format = "gzip",
                               .expire_in = artifacts.expire_in});
}

void add_artifacts(runner::Payload& payload, const pipeline::Artifacts& artifacts) {
  if (!artifacts.paths.empty() || artifacts.untracked) {
    payload.artifacts.push_back({.name = artifacts.name,
                                 .untracked = artifacts.untracked,
                                 .paths = artifacts.paths,
                                 .exclude = artifacts.exclude,
                                 .when = artifacts.when,
                                 .type = "archive",
                                 .format = "zip",
                                 .expire_in = artifacts.expire_in});
  }
  add_report(payload, artifacts, "junit", artifacts.junit);
  add_report(payload, artifacts, "dotenv", artifacts.dotenv);
}

int depth_of(const runner::Payload& payload) {
  const std::string text = runner::VariableList(payload.variables).value("GIT_DEPTH");
  int depth = k_default_depth;
  if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), depth);
  return depth;
}

/// The commit under a name of the pipeline's, so that it can be had even when
/// its branch has moved on; with a depth only the job's own ref beside it.
std::vector<std::string> refspecs(const RunFacts& facts, int depth) {
  const GitCheckout& git = facts.checkout;
  std::vector<std::string> result{fmt::format("+{}:refs/pipelines/{}", git.sha, facts.pipeline_id)};
  if (depth == 0) {
    result.insert(result.end(),
                  {"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"});
  } else if (git.is_tag) {
    result.push_back(fmt::format("+refs/tags/{0}:refs/tags/{0}", git.ref));
  } else if (git.has_branch) {
    result.push_back(fmt::format("+refs/heads/{0}:refs/remotes/origin/{0}", git.ref));
  }
  return result;
}

/// GitLab sends the login of its own registry with every job. Here that is the one
/// which the project's variables stand for.
void add_registry_login(runner::Payload& payload) {
  const runner::VariableList variables(payload.variables);
  runner::Credential login{.url = variables.value("CI_REGISTRY"),
                           .username = variables.value("CI_REGISTRY_USER"),
                           .password = variables.value("CI_REGISTRY_PASSWORD")};
  if (login.url.empty() || login.username.empty() || login.password.empty()) return;
  payload.credentials.push_back(std::move(login));
}

}  // namespace

runner::Payload make_payload(const pipeline::Job& job, const RunFacts& facts, const JobRun& run) {
  runner::Payload payload;
  payload.id = run.id;
  payload.token = run.token;
  const std::string& path = facts.checkout.project_path;
  payload.job_info = {.name = job.name,
                      .stage = job.stage,
                      .pipeline_id = facts.pipeline_id,
                      .project_id = facts.project_id,
                      .project_name = path.substr(path.rfind('/') + 1),
                      .project_full_path = path,
                      .namespace_id = 1,
                      .user_id = 1};
  for (const core::Variable& variable : all_variables(job, facts, run)) {
    payload.variables.push_back(to_runner(variable));
  }
  add_registry_login(payload);
  payload.git_info.repo_url = repository_url(facts, run.token);
  payload.git_info.repo_object_format = facts.checkout.object_format;
  payload.git_info.ref = facts.checkout.ref;
  payload.git_info.ref_type = facts.checkout.is_tag ? "tag" : "branch";
  payload.git_info.sha = facts.checkout.sha;
  payload.git_info.before_sha = facts.checkout.before_sha;
  payload.git_info.is_protected = facts.ref_protected;
  payload.git_info.depth = depth_of(payload);
  payload.git_info.refspecs = refspecs(facts, payload.git_info.depth);
  const std::int64_t timeout = job.timeout ? job.timeout->count() : k_default_timeout;
  payload.runner_info = {.uuid = "", .timeout = timeout};
  payload.steps.push_back(
      {.name = "script", .script = job.script, .timeout = timeout, .when = "on_success"});
  if (!job.after_script.empty()) {
    payload.steps.push_back({.name = "after_script",
                             .script = job.after_script,
                             .timeout = timeout,
                             .when = "always",
                             .allow_failure = true});
  }
  if (job.image) payload.image = to_runner(*job.image);
  for (const core::Image& service : job.services) payload.services.push_back(to_runner(service));
  if (job.artifacts) add_artifacts(payload, *job.artifacts);
  for (const pipeline::Cache& cache : job.cache) {
    payload.cache.push_back({.key = cache.key,
                             .untracked = cache.untracked,
                             .policy = cache.policy,
                             .paths = cache.paths,
                             .when = cache.when,
                             .fallback_keys = cache.fallback_keys});
  }
  payload.dependencies = run.dependencies;
  payload.trace_sections = true;  // GitLab tells every runner that it folds sections
  return payload;
}

std::vector<std::string> secrets_of(const runner::Payload& payload) {
  std::vector<std::string> secrets{payload.token};
  for (const runner::Variable& variable : payload.variables) {
    if (variable.masked && variable.value.size() >= k_shortest_masked)
      secrets.push_back(variable.value);
  }
  return secrets;
}

}  // namespace berth::local
