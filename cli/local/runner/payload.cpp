#include "cli/local/runner/payload.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace berth::local::runner {
namespace {

using Json = nlohmann::ordered_json;

/// Go writes a list that was never set as null.
template <typename T>
Json list_or_null(const std::vector<T>& list) {
  return list.empty() ? Json(nullptr) : Json(list);
}

template <typename T, typename Convert>
Json list_or_null(const std::vector<T>& list, Convert convert) {
  if (list.empty()) return nullptr;
  Json result = Json::array();
  for (const T& item : list) result.push_back(convert(item));
  return result;
}

Json variable_json(const Variable& variable) {
  return {{"key", variable.key},   {"value", variable.value},   {"public", variable.is_public},
          {"file", variable.file}, {"masked", variable.masked}, {"raw", variable.raw}};
}

Json image_json(const Image& image) {
  Json result;
  result["name"] = image.name;
  if (!image.alias.empty()) result["alias"] = image.alias;
  if (!image.command.empty()) result["command"] = image.command;
  // omitempty drops an empty list, so that `entrypoint: [""]` arrives and `[]` does not.
  if (image.entrypoint && !image.entrypoint->empty()) result["entrypoint"] = *image.entrypoint;
  if (!image.variables.empty()) result["variables"] = list_or_null(image.variables, variable_json);
  if (!image.pull_policy.empty()) result["pull_policy"] = image.pull_policy;
  result["executor_opts"] = {
      {"docker", {{"platform", image.docker_platform}, {"user", image.docker_user}}},
      {"kubernetes", {{"user", image.kubernetes_user}}}};
  return result;
}

Json job_info_json(const JobInfo& info) {
  return {{"name", info.name},
          {"stage", info.stage},
          {"pipeline_id", info.pipeline_id},
          {"project_id", info.project_id},
          {"project_name", info.project_name},
          {"project_full_path", info.project_full_path},
          {"namespace_id", info.namespace_id},
          {"root_namespace_id", info.namespace_id},
          {"organization_id", 1},
          {"instance_id", ""},
          {"instance_uuid", ""},
          {"user_id", info.user_id},
          {"time_in_queue_seconds", 0},
          {"project_jobs_running_on_instance_runners_count", "0"},
          {"queue_size", 0},
          {"queue_depth", 0}};
}

Json git_info_json(const GitInfo& git) {
  return {{"repo_url", git.repo_url},
          {"repo_object_format", git.repo_object_format},
          {"ref", git.ref},
          {"sha", git.sha},
          {"before_sha", git.before_sha},
          {"ref_type", git.ref_type},
          {"refspecs", list_or_null(git.refspecs)},
          {"depth", git.depth},
          {"protected", git.is_protected ? Json(*git.is_protected) : Json(nullptr)}};
}

Json step_json(const Step& step) {
  return {{"name", step.name},
          {"script", list_or_null(step.script)},
          {"timeout", step.timeout},
          {"when", step.when},
          {"allow_failure", step.allow_failure}};
}

Json artifact_json(const Artifact& artifact) {
  return {{"name", artifact.name},
          {"untracked", artifact.untracked},
          {"paths", list_or_null(artifact.paths)},
          {"exclude", list_or_null(artifact.exclude)},
          {"when", artifact.when},
          {"artifact_type", artifact.type},
          {"artifact_format", artifact.format},
          {"expire_in", artifact.expire_in}};
}

Json cache_json(const Cache& cache) {
  return {{"key", cache.key},       {"untracked", cache.untracked},
          {"policy", cache.policy}, {"paths", list_or_null(cache.paths)},
          {"when", cache.when},     {"fallback_keys", list_or_null(cache.fallback_keys)}};
}

Json credential_json(const Credential& credential) {
  return {{"type", credential.type},
          {"url", credential.url},
          {"username", credential.username},
          {"password", credential.password}};
}

Json dependency_json(const Dependency& dependency) {
  return {{"id", dependency.id},
          {"token", dependency.token},
          {"name", dependency.name},
          {"artifacts_file", {{"filename", dependency.filename}, {"size", dependency.size}}}};
}

/// Go's encoder escapes these wherever they stand; outside strings JSON has none.
std::string go_escaped(const std::string& json) {
  std::string result;
  result.reserve(json.size() + json.size() / 16);
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '<') {
      result += "\\u003c";
    } else if (c == '>') {
      result += "\\u003e";
    } else if (c == '&') {
      result += "\\u0026";
    } else if (json.compare(i, 3, "\xE2\x80\xA8") == 0) {
      result += "\\u2028";
      i += 2;
    } else if (json.compare(i, 3, "\xE2\x80\xA9") == 0) {
      result += "\\u2029";
      i += 2;
    } else {
      result.push_back(c);
    }
  }
  return result;
}

std::string go_dump(const Json& json) {
  return go_escaped(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::string response_file(const Payload& payload) {
  std::vector<Variable> variables;
  for (const Variable& variable : payload.variables) {
    if (!variable.internal) variables.push_back(variable);
  }
  Json job;
  job["id"] = payload.id;
  job["token"] = payload.token;
  job["allow_git_fetch"] = payload.allow_git_fetch;
  job["job_info"] = job_info_json(payload.job_info);
  job["git_info"] = git_info_json(payload.git_info);
  job["runner_info"] = {{"uuid", payload.runner_info.uuid},
                        {"timeout", payload.runner_info.timeout}};
  job["inputs"] = Json::object();
  job["variables"] = list_or_null(variables, variable_json);
  job["steps"] = list_or_null(payload.steps, step_json);
  job["image"] = image_json(payload.image);
  job["services"] = list_or_null(payload.services, image_json);
  job["artifacts"] = list_or_null(payload.artifacts, artifact_json);
  job["cache"] = list_or_null(payload.cache, cache_json);
  job["credentials"] = list_or_null(payload.credentials, credential_json);
  job["dependencies"] = list_or_null(payload.dependencies, dependency_json);
  job["features"] = {{"trace_sections", payload.trace_sections},
                     {"token_mask_prefixes", nullptr},
                     {"failure_reasons", list_or_null(payload.failure_reasons)},
                     {"tracing", nullptr}};
  if (!payload.hooks.empty()) {
    job["hooks"] = list_or_null(payload.hooks, [](const Hook& hook) {
      return Json{{"name", hook.name}, {"script", list_or_null(hook.script)}};
    });
  }
  job["policy_options"] = {{"execution_policy_job", false}, {"policy_name", ""}};
  job["suspend_options"] = Json::object();
  return go_dump(job) + "\n";
}

std::string services_json(const std::vector<Image>& services, const VariableList& variables) {
  if (services.empty()) return {};
  Json result = Json::array();
  for (const Image& service : services) {
    const auto aliases = split_aliases(service.alias);
    Json entry;
    entry["name"] = service.name;
    entry["alias"] = aliases.empty() ? std::string{} : aliases.front();
    entry["entrypoint"] = service.entrypoint ? list_or_null(*service.entrypoint) : Json(nullptr);
    entry["command"] = list_or_null(service.command);
    if (!service.variables.empty()) {
      VariableList source = variables;
      source.append(service.variables);
      // Go marshals a map: keys in order, the last value of a key.
      std::map<std::string, std::string> values;
      const VariableList expanded = VariableList(service.variables).expanded_with(source);
      for (const Variable& variable : expanded.all()) {
        values[variable.key] = variable.value;
      }
      entry["variables"] = values;
    }
    result.push_back(std::move(entry));
  }
  return go_dump(result);
}

std::vector<std::string> split_aliases(std::string_view alias) {
  std::vector<std::string> result;
  constexpr std::string_view separators = ", \t\n\r";
  while (!alias.empty()) {
    const auto begin = alias.find_first_not_of(separators);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(alias.find_first_of(separators, begin), alias.size());
    result.emplace_back(alias.substr(begin, end - begin));
    alias.remove_prefix(end);
  }
  return result;
}

}  // namespace berth::local::runner
