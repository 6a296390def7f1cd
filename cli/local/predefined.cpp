#include "cli/local/run_facts.hpp"
#include "cli/local/runner/url.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cctype>
#include <chrono>

namespace berth::local {
namespace {

/// The GitLab whose payload this is modelled on.
constexpr const char* k_server_version = "18.4.0";

class List {
 public:
  void add(std::string key, std::string value) {
    m_all.push_back({.key = std::move(key), .value = std::move(value), .is_public = true});
  }
  void add_secret(std::string key, std::string value, bool masked) {
    m_all.push_back({.key = std::move(key), .value = std::move(value), .masked = masked});
  }
  std::vector<core::Variable> take() { return std::move(m_all); }

 private:
  std::vector<core::Variable> m_all;
};

void add_commit(List& list, const RunFacts& facts) {
  const GitCheckout& git = facts.checkout;
  const auto newline = git.message.find('\n');
  const std::string title = git.message.substr(0, newline);
  const auto body = git.message.find_first_not_of('\n', std::min(newline, git.message.size()));
  list.add("CI_COMMIT_SHA", git.sha);
  list.add("CI_COMMIT_SHORT_SHA", git.sha.substr(0, 8));
  list.add("CI_COMMIT_BEFORE_SHA", git.before_sha);
  list.add("CI_COMMIT_REF_NAME", git.ref);
  list.add("CI_COMMIT_REF_SLUG", slug(git.ref));
  list.add(git.is_tag ? "CI_COMMIT_TAG" : "CI_COMMIT_BRANCH", git.ref);
  if (git.is_tag) list.add("CI_COMMIT_TAG_MESSAGE", git.tag_message);
  list.add("CI_COMMIT_REF_PROTECTED", facts.ref_protected ? "true" : "false");
  list.add("CI_COMMIT_TIMESTAMP", git.timestamp);
  list.add("CI_COMMIT_MESSAGE", git.message);
  list.add("CI_COMMIT_TITLE", title);
  list.add("CI_COMMIT_DESCRIPTION", body == std::string::npos ? title : git.message.substr(body));
  list.add("CI_COMMIT_AUTHOR", git.author);
}

void add_project(List& list, const RunFacts& facts) {
  const std::string& path = facts.checkout.project_path;
  const std::string name = path.substr(path.rfind('/') + 1);
  list.add("CI_PROJECT_ID", std::to_string(facts.project_id));
  list.add("CI_PROJECT_NAME", name);
  list.add("CI_PROJECT_TITLE", name);
  list.add("CI_PROJECT_DESCRIPTION", "");
  list.add("CI_PROJECT_PATH", path);
  list.add("CI_PROJECT_PATH_SLUG", slug(path));
  list.add("CI_PROJECT_NAMESPACE", path.substr(0, path.rfind('/')));
  list.add("CI_PROJECT_ROOT_NAMESPACE", path.substr(0, path.find('/')));
  list.add("CI_PROJECT_URL", facts.server_url + "/" + path);
  list.add("CI_PROJECT_VISIBILITY", "private");
  list.add("CI_PROJECT_REPOSITORY_LANGUAGES", "");
  list.add("CI_PROJECT_CLASSIFICATION_LABEL", "");
  list.add("CI_DEFAULT_BRANCH", facts.checkout.default_branch);
  list.add("CI_CONFIG_PATH", facts.config_path);
}

void add_server(List& list, const RunFacts& facts) {
  const auto url = runner::parse_url(facts.server_url).value_or(runner::Url{});
  const auto colon = url.host.rfind(':');
  const std::string version = k_server_version;
  list.add("CI_SERVER_URL", facts.server_url);
  list.add("CI_SERVER_HOST", url.host.substr(0, colon));
  list.add("CI_SERVER_FQDN", url.host);
  list.add("CI_SERVER_PORT", colon == std::string::npos ? "80" : url.host.substr(colon + 1));
  list.add("CI_SERVER_PROTOCOL", url.scheme);
  list.add("CI_SERVER_NAME", "GitLab");
  list.add("CI_SERVER_VERSION", version);
  list.add("CI_SERVER_VERSION_MAJOR", "18");
  list.add("CI_SERVER_VERSION_MINOR", "4");
  list.add("CI_SERVER_VERSION_PATCH", "0");
  list.add("CI_SERVER_REVISION", "berth");
  list.add("CI_API_V4_URL", facts.server_url + "/api/v4");
  list.add("CI_API_GRAPHQL_URL", facts.server_url + "/api/graphql");
}

}  // namespace

std::string slug(const std::string& text) {
  std::string result;
  for (const char c : text.substr(0, 63)) {
    const auto byte = static_cast<unsigned char>(c);
    result.push_back(std::isalnum(byte) != 0 && byte < 0x80 ? static_cast<char>(std::tolower(byte))
                                                            : '-');
  }
  while (result.starts_with('-')) result.erase(0, 1);
  while (result.ends_with('-')) result.pop_back();
  return result;
}

std::string iso_now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

std::string repository_url(const RunFacts& facts, const std::string& token) {
  auto url = runner::parse_url(facts.server_url).value_or(runner::Url{});
  url.user_info = "gitlab-ci-token:" + token;
  url.path = "/" + facts.checkout.project_path + ".git";
  return url.text();
}

std::vector<core::Variable> pipeline_predefined(const RunFacts& facts) {
  List list;
  list.add("CI", "true");
  list.add("GITLAB_CI", "true");
  list.add("CI_PIPELINE_ID", std::to_string(facts.pipeline_id));
  list.add("CI_PIPELINE_IID", std::to_string(facts.pipeline_id));
  list.add("CI_PIPELINE_SOURCE", "push");
  list.add("CI_PIPELINE_CREATED_AT", facts.created_at);
  list.add("CI_PIPELINE_URL", fmt::format("{}/{}/-/pipelines/{}", facts.server_url,
                                          facts.checkout.project_path, facts.pipeline_id));
  add_commit(list, facts);
  add_project(list, facts);
  add_server(list, facts);
  list.add("GITLAB_FEATURES", "");
  list.add("GITLAB_USER_ID", "1");
  list.add("GITLAB_USER_LOGIN",
           facts.checkout.user_email.substr(0, facts.checkout.user_email.find('@')));
  list.add("GITLAB_USER_NAME", facts.checkout.user_name);
  list.add("GITLAB_USER_EMAIL", facts.checkout.user_email);
  return list.take();
}

std::vector<core::Variable> job_predefined(const RunFacts& facts, std::int64_t job_id,
                                           const std::string& token, const std::string& started_at,
                                           bool manual) {
  List list;
  list.add("CI_JOB_ID", std::to_string(job_id));
  list.add("CI_JOB_URL",
           fmt::format("{}/{}/-/jobs/{}", facts.server_url, facts.checkout.project_path, job_id));
  list.add_secret("CI_JOB_TOKEN", token, true);
  list.add("CI_JOB_STARTED_AT", started_at);
  if (manual) list.add("CI_JOB_MANUAL", "true");
  list.add_secret("CI_REPOSITORY_URL", repository_url(facts, token), false);
  list.add("CI_RUNNER_ID", "1");
  list.add("CI_RUNNER_DESCRIPTION", "berth local");
  list.add("CI_RUNNER_TAGS", "[]");
  return list.take();
}

}  // namespace berth::local
