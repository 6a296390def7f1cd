#include "executor/credentials/recognition.hpp"

#include "executor/core/expand.hpp"
#include "executor/core/image_ref.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace berth::credentials {
namespace {

/// No credential is shorter.
constexpr std::size_t k_shortest = 16;

constexpr std::array<std::string_view, 29> k_known_names{
    "KUBE_CONFIG",
    "KUBECONFIG",
    "KUBE_CONFIG_*",
    "KUBECONFIG_*",
    "*_KUBE_CONFIG",
    "*_KUBECONFIG",
    "K8S_CONFIG*",
    "GOOGLE_APPLICATION_CREDENTIALS*",
    "GOOGLE_CREDENTIALS*",
    "GOOGLE_*KEY*",
    "GCP_*KEY*",
    "GCP_CREDENTIALS*",
    "GCLOUD_*KEY*",
    "*SERVICE_ACCOUNT*",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CONFIG*",
    "DOCKERCONFIG*",
    "*SSH_PRIVATE_KEY*",
    "SSH_KEY*",
    "*_SSH_KEY",
    "*DEPLOY_KEY*",
    "AWS_CREDENTIALS*",
    "AWS_SHARED_CREDENTIALS*",
    "NPMRC*",
    "*_NPMRC",
    "NETRC*",
    "*_NETRC",
    "*_TLS_KEY",
    "*_CLIENT_KEY",
};

/// docs.gitlab.com, "Predefined CI/CD variables": GitLab masks these itself, and no
/// script decodes them.
constexpr std::array<std::string_view, 9> k_predefined{
    "CI_JOB_TOKEN",          "CI_JOB_JWT*",        "CI_BUILD_TOKEN",
    "CI_REGISTRY_*",         "CI_DEPLOY_USER",     "CI_DEPLOY_PASSWORD",
    "CI_DEPENDENCY_PROXY_*", "CI_REPOSITORY_URL*", "CI_SERVER_TLS_*",
};

bool matches_any(const auto& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](std::string_view pattern) {
    return pattern == text || core::glob_match(pattern, text);
  });
}

bool is_secret_key(const core::Job& job, std::string_view key) {
  return std::ranges::find(job.secret_keys, key) != job.secret_keys.end();
}

/// A `$` of the value was meant as it stands.
bool lost_dollar(const core::Variable* sent, const core::Variable& value,
                 const core::Variables& expanded) {
  if (sent == nullptr || sent->raw || sent->value == value.value) return false;
  bool lost = false;
  core::expand(sent->value, [&](std::string_view name) {
    lost = lost || (name != "$" && expanded.find(name) == nullptr);
    return std::string();
  });
  return lost;
}

bool is_in_scope(std::string_view name, const core::Job& job, const settings::Credentials& rules) {
  for (const settings::Credentials::Scope& rule : rules.scope) {
    if (!matches_any(rule.variables, name)) continue;
    const core::Variable* environment = job.variables.find_original("CI_ENVIRONMENT_NAME");
    return (!rule.protected_refs || job.ref_protected) &&
           (rule.projects.empty() || matches_any(rule.projects, job.project_full_path)) &&
           (rule.environments.empty() ||
            (environment != nullptr && matches_any(rule.environments, environment->value)));
  }
  return true;
}

bool is_told_of(const Finding& finding, bool named) {
  switch (finding.verdict) {
    case Verdict::none:
      return false;
    case Verdict::valid:
    case Verdict::invalid:
      return true;
    case Verdict::truncated:
    case Verdict::garbage:
    case Verdict::ambiguous:
      return named;
  }
  return false;
}

}  // namespace

bool is_known_name(std::string_view name) {
  return matches_any(k_known_names, name);
}

std::vector<RecognisedVariable> recognise_variables(const core::Job& job,
                                                    const core::Variables& expanded,
                                                    const settings::Credentials& settings,
                                                    std::chrono::sys_seconds now) {
  using Recognise = settings::Credentials::Recognise;
  std::vector<RecognisedVariable> all;
  if (settings.recognise == Recognise::off) return all;
  std::set<std::string_view> seen;
  const auto look_at = [&](const std::string& key) {
    if (!seen.insert(key).second || matches_any(k_predefined, key)) return;
    const core::Variable* sent = job.variables.find(key);
    const core::Variable* value = expanded.find(key);
    if (value == nullptr || value->value.size() < k_shortest) return;
    const bool named = is_known_name(key) || matches_any(settings.names, key);
    const bool kept = is_secret_key(job, key) || (sent != nullptr && (sent->masked || sent->file));
    if (!named && (!kept || settings.recognise == Recognise::named)) return;
    RecognisedVariable found{.name = key,
                             .named = named,
                             .file = value->file,
                             .value = support::Secret(value->value),
                             .finding = examine(value->value, now),
                             .in_scope = is_in_scope(key, job, settings),
                             .lost_dollar = lost_dollar(sent, *value, expanded)};
    if (is_told_of(found.finding, named)) all.push_back(std::move(found));
  };
  for (const core::Variable& variable : job.variables.all()) look_at(variable.key);
  for (const std::string& key : job.secret_keys) look_at(key);
  std::ranges::stable_partition(all, [](const RecognisedVariable& one) { return one.named; });
  return all;
}

}  // namespace berth::credentials
