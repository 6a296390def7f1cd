#include "executor/gitlab/job_response.hpp"

#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace berth::gitlab {
namespace {

using nlohmann::json;

/// A payload carries scripts and variables; GitLab's own limits are far below.
constexpr std::size_t k_max_size = 256UL << 20U;

constexpr std::int64_t k_default_timeout = 7200;  // gitlab-runner, DefaultTimeout
constexpr std::int64_t k_max_timeout = 10L * 365 * 24 * 3600;

/// The value of a key, or null where there is none.
const json& member(const json& object, const char* key) {
  static const json k_null;
  const auto found = object.find(key);
  return found == object.end() ? k_null : *found;
}

const json& group(const json& object, const char* key) {
  static const json k_empty = json::object();
  const json& value = member(object, key);
  if (value.is_null()) return k_empty;
  value.get_ref<const json::object_t&>();  // throws what and where
  return value;
}

const json& list(const json& object, const char* key) {
  static const json k_empty = json::array();
  const json& value = member(object, key);
  if (value.is_null()) return k_empty;
  value.get_ref<const json::array_t&>();
  return value;
}

std::string text(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_null() ? std::string() : value.get<std::string>();
}

bool flag(const json& object, const char* key) {
  const json& value = member(object, key);
  return !value.is_null() && value.get<bool>();
}

std::int64_t integer(const json& object, const char* key) {
  const json& value = member(object, key);
  if (value.is_null()) return 0;
  if (!value.is_number_integer()) {
    value.get_ref<const json::number_integer_t&>();
  }
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    throw std::out_of_range(fmt::format("'{}' is too large", key));
  }
  return value.get<std::int64_t>();
}

std::vector<std::string> strings(const json& object, const char* key) {
  std::vector<std::string> all;
  for (const json& item : list(object, key)) all.push_back(item.get<std::string>());
  return all;
}

std::optional<std::vector<std::string>> words(const json& object, const char* key) {
  std::vector<std::string> all = strings(object, key);
  if (all.empty()) return std::nullopt;
  return all;
}

std::vector<core::Variable> variables(const json& object) {
  std::vector<core::Variable> all;
  for (const json& item : list(object, "variables")) {
    all.push_back({.key = item.at("key").get<std::string>(),
                   .value = text(item, "value"),
                   .is_public = flag(item, "public"),
                   .file = flag(item, "file"),
                   .masked = flag(item, "masked"),
                   .raw = flag(item, "raw")});
  }
  return all;
}

core::Image image(const json& object) {
  const json& options = group(object, "executor_opts");
  const json& docker = group(options, "docker");
  const json& kubernetes = group(options, "kubernetes");
  return {.name = text(object, "name"),
          .alias = text(object, "alias"),
          .entrypoint = words(object, "entrypoint"),
          .command = words(object, "command"),
          .pull_policy = strings(object, "pull_policy"),
          .variables = variables(object),
          .docker_platform = text(docker, "platform"),
          .docker_user = text(docker, "user"),
          .kubernetes_user = text(kubernetes, "user")};
}

bool is_protected(const json& git_info, const core::Variables& job_variables) {
  const json& value = member(git_info, "protected");
  if (!value.is_null()) return value.get<bool>();
  // GitLab before 18.3 sends none (common/build.go, IsProtected).
  const core::Variable* original = job_variables.find_original("CI_COMMIT_REF_PROTECTED");
  return original != nullptr && core::Variables({*original}).is_on(original->key);
}

core::Job job_of(const json& root) {
  const json& info = group(root, "job_info");
  const json& git = group(root, "git_info");
  const json& runner = group(root, "runner_info");
  root.at("id");  // without it this is no job at all

  core::Job job;
  job.id = integer(root, "id");
  job.allow_git_fetch = flag(root, "allow_git_fetch");
  job.name = text(info, "name");
  job.stage = text(info, "stage");
  job.project_id = integer(info, "project_id");
  job.project_name = text(info, "project_name");
  job.project_full_path = text(info, "project_full_path");
  job.pipeline_id = integer(info, "pipeline_id");
  job.ref = text(git, "ref");
  job.sha = text(git, "sha");
  job.runner_uuid = text(runner, "uuid");
  const std::int64_t timeout = integer(runner, "timeout");
  job.timeout =
      std::chrono::seconds(timeout > 0 ? std::min(timeout, k_max_timeout) : k_default_timeout);
  job.variables = core::Variables(variables(root));
  job.ref_protected = is_protected(git, job.variables);
  if (core::Image main = image(group(root, "image")); !main.name.empty()) {
    job.image = std::move(main);
  }
  for (const json& service : list(root, "services")) {
    service.get_ref<const json::object_t&>();
    job.services.push_back(image(service));
  }
  for (const json& credential : list(root, "credentials")) {
    if (text(credential, "type") != "registry") continue;
    job.credentials.push_back({.url = text(credential, "url"),
                               .username = text(credential, "username"),
                               .password = support::Secret(text(credential, "password"))});
  }
  for (const json& one : list(root, "artifacts")) {
    job.artifacts.push_back({.paths = strings(one, "paths"),
                             .exclude = strings(one, "exclude"),
                             .untracked = flag(one, "untracked")});
  }
  for (const auto& [key, unused] : group(root, "secrets").items()) job.secret_keys.push_back(key);
  return job;
}

}  // namespace

core::Job parse_job_response(std::string_view json_text, std::string_view file_name) {
  const json root = support::parse_json(json_text, file_name);
  try {
    root.get_ref<const json::object_t&>();
    return job_of(root);
  } catch (const json::exception& error) {
    throw support::json_error(error, file_name);
  } catch (const std::out_of_range& error) {
    throw support::json_error(error, file_name);
  }
}

core::Job read_job_response(const std::filesystem::path& file) {
  if (file.empty()) {
    throw support::SystemError(
        "JOB_RESPONSE_FILE is not set",
        "this program is started by GitLab Runner's custom executor, or by `berth local`");
  }
  return parse_job_response(support::read_file(file, k_max_size), file.native());
}

}  // namespace berth::gitlab
