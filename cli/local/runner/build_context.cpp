#include "cli/local/runner/build_context.hpp"

#include "cli/local/runner/feature_flags.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace berth::local::runner {
namespace {

#if defined(__x86_64__)
constexpr const char* k_arch = "linux/amd64";
#elif defined(__aarch64__)
constexpr const char* k_arch = "linux/arm64";
#else
constexpr const char* k_arch = "linux/unknown";
#endif

/// Slashes merged, `.` and `..` resolved, no slash at the end.
std::string clean_path(const std::string& path) {
  std::string cleaned = std::filesystem::path(path).lexically_normal().string();
  while (cleaned.size() > 1 && cleaned.back() == '/') cleaned.pop_back();
  return cleaned;
}

bool is_feature_flag(std::string_view key) {
  return std::ranges::any_of(feature_flags(),
                             [&](const FeatureFlag& flag) { return flag.name == key; });
}

}  // namespace

BuildContext::BuildContext(const RunnerConfig& config, Payload payload)
    : shell(config.shell),
      m_config(config),
      m_payload(std::move(payload)),
      m_correlation_id(support::random_hex(16)) {
  refresh();
}

void BuildContext::expand_container_names() {
  m_payload.image.name = m_variables.expand(m_payload.image.name);
  m_payload.image.alias = m_variables.expand(m_payload.image.alias);
  for (Image& service : m_payload.services) {
    service.name = m_variables.expand(service.name);
    service.alias = m_variables.expand(service.alias);
  }
  refresh();
}

void BuildContext::clear_directories() {
  m_builds_dir.clear();
  m_cache_dir.clear();
  m_project_dir.clear();
  refresh();
}

void BuildContext::set_directories(const std::string& builds_dir, const std::string& cache_dir,
                                   bool shared) {
  if (builds_dir.empty()) throw ConfigurationError("the builds_dir is not configured");
  if (cache_dir.empty()) throw ConfigurationError("the cache_dir is not configured");
  m_builds_dir = builds_dir;
  m_cache_dir = clean_path(cache_dir + "/" + project_unique_dir(false));
  m_project_dir.clear();
  refresh();
  m_project_dir = custom_or_default_dir(shared);
  refresh();
}

std::string BuildContext::custom_or_default_dir(bool shared) const {
  const std::string& wanted = m_settings.git_clone_path;
  if (wanted.empty()) return clean_path(m_builds_dir + "/" + project_unique_dir(shared));
  if (!m_config.custom_build_dir) {
    throw ConfigurationError(
        "setting GIT_CLONE_PATH is not allowed, enable `custom_build_dir` feature");
  }
  const auto relative =
      std::filesystem::path(clean_path(wanted)).lexically_relative(clean_path(m_builds_dir));
  if (relative.empty() || *relative.begin() == "..") {
    throw ConfigurationError(
        fmt::format("the GIT_CLONE_PATH=\"{}\" has to be within \"{}\"", wanted, m_builds_dir));
  }
  return clean_path(wanted);
}

std::string BuildContext::project_unique_dir(bool shared) const {
  std::string dir = fmt::format("project-{}", m_payload.job_info.project_id);
  if (const auto url = parse_url(m_payload.git_info.repo_url); url && !url->host.empty()) {
    std::string slug = url->path.substr(0, url->path.find_first_of("?#"));
    if (slug.ends_with(".git")) slug.resize(slug.size() - 4);
    if (!slug.empty() && slug.find("..") == std::string::npos) dir = clean_path(slug);
  }
  if (shared) {
    dir = clean_path(
        fmt::format("{}/{}/{}", m_config.short_token, m_config.concurrent_project_id, dir));
  }
  if (m_settings.git_strategy == GitStrategy::empty) dir += "-empty";
  return dir;
}

std::string BuildContext::temp_file(std::string_view name) const {
  return temp_dir() + "/" + std::string(name);
}

std::chrono::seconds BuildContext::job_timeout() const {
  const auto seconds = m_payload.runner_info.timeout;
  return std::chrono::seconds{seconds > 0 ? seconds : 7200};
}

std::vector<Variable> BuildContext::variables_before_job() const {
  VariableList list;
  if (!m_payload.image.name.empty()) list.add_internal("CI_JOB_IMAGE", m_payload.image.name);
  list.add_internal("CI_RUNNER_SHORT_TOKEN", m_config.short_token);
  for (const std::string& entry : m_config.environment) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    list.add({.key = entry.substr(0, equals), .value = entry.substr(equals + 1), .internal = true});
  }
  list.add_internal("CI_BUILDS_DIR", m_builds_dir);
  list.add_internal("CI_PROJECT_DIR", m_project_dir);
  list.add_internal("CI_CONCURRENT_ID", std::to_string(m_config.concurrent_id));
  list.add_internal("CI_CONCURRENT_PROJECT_ID", std::to_string(m_config.concurrent_project_id));
  list.add_internal("CI_SERVER", "yes");
  list.add_internal("CI_JOB_STATUS", "running");
  list.add_internal("CI_JOB_TIMEOUT", std::to_string(job_timeout().count()));
  if (!m_config.tls_ca_chain.empty()) {
    list.add({.key = "CI_SERVER_TLS_CA_FILE",
              .value = m_config.tls_ca_chain,
              .is_public = true,
              .internal = true,
              .file = true});
  }
  return list.all();
}

std::vector<Variable> BuildContext::variables_after_job(bool network_per_build) const {
  VariableList list;
  list.add_internal("CI_SHARED_ENVIRONMENT", "true");
  list.add_internal("CI_RUNNER_VERSION", k_runner_version);
  list.add_internal("CI_RUNNER_REVISION", k_runner_revision);
  list.add_internal("CI_RUNNER_EXECUTABLE_ARCH", k_arch);
  list.add_internal(std::string(k_temp_dir_key), temp_dir());
  if (network_per_build) {
    list.add_internal("CI_BUILD_NETWORK_NAME",
                      fmt::format("runner-{}-project-{}-concurrent-{}", m_config.short_token,
                                  m_payload.job_info.project_id, m_config.concurrent_id));
  }
  return list.all();
}

void BuildContext::refresh() {
  VariableList for_settings;
  for (const FeatureFlag& flag : feature_flags()) {
    for_settings.add_internal(std::string(flag.name), flag.default_value ? "true" : "false");
  }
  for_settings.append(variables_before_job());
  for_settings.append(m_payload.variables);
  for_settings.append(variables_after_job(false));
  m_settings = read_job_settings(for_settings.expanded(), m_payload, m_config);

  VariableList list;
  for (const FeatureFlag& flag : feature_flags()) {
    list.add_internal(std::string(flag.name), m_settings.flag(flag.name) ? "true" : "false");
  }
  list.append(variables_before_job());
  for (const Variable& variable : m_payload.variables) {
    if (!is_feature_flag(variable.key)) list.add(variable);
  }
  list.append(variables_after_job(m_settings.flag("FF_NETWORK_PER_BUILD")));
  m_variables = list.expanded();
}

Url BuildContext::remote_url() const {
  Url with_token;
  if (const auto url = parse_url(m_payload.git_info.repo_url)) {
    with_token = *url;
  } else {
    with_token.path = m_payload.git_info.repo_url;  // a local path
  }
  if (auto clone = parse_url(m_config.clone_url)) {
    with_token = *clone;
    with_token.path += "/" + m_payload.job_info.project_full_path + ".git";
    if (with_token.scheme != "ssh") with_token.user_info = "gitlab-ci-token:" + m_payload.token;
  }
  return with_token;
}

std::vector<std::pair<std::string, std::string>> BuildContext::instead_of() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto add = [&pairs](std::pair<std::string, std::string> pair) {
    if (std::ranges::find(pairs, pair) == pairs.end()) pairs.push_back(std::move(pair));
  };
  const bool with_credentials = !flag("FF_GIT_URLS_WITHOUT_TOKENS");
  const Url remote = remote_url();
  if (with_credentials && !remote.user_info.empty() && !remote.scheme.empty()) {
    add({remote.text(), remote.without_user().text()});
  }
  const auto server = parse_url(m_config.clone_url.empty() ? m_config.url : m_config.clone_url);
  if (!server || !server->is_http()) return pairs;
  const auto authenticated = [this, with_credentials](const Url& url) {
    Url result = url.base();
    if (with_credentials) result.user_info = "gitlab-ci-token:" + m_payload.token;
    return result.text();
  };
  if (with_credentials) add({authenticated(*server), server->base().text()});
  if (m_settings.submodule_force_https) {
    const std::string host = server->host.substr(0, server->host.find(':'));
    add({authenticated(*server) + "/", "git@" + host + ":"});
    add({authenticated(*server), "ssh://git@" + host});
  }
  if (const auto repo = parse_url(m_payload.git_info.repo_url);
      with_credentials && repo && repo->is_http()) {
    add({authenticated(*repo), repo->base().text()});
  }
  return pairs;
}

}  // namespace berth::local::runner
