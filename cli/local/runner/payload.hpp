#pragma once

#include "cli/local/runner/variables.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A job as GitLab hands it to a runner, and the file the runner writes of it
/// (gitlab-runner, common/spec/spec.go, type Job).
namespace berth::local::runner {

struct JobInfo {
  std::string name{};
  std::string stage{};
  std::int64_t pipeline_id = 0;
  std::int64_t project_id = 0;
  std::string project_name{};
  std::string project_full_path{};
  std::int64_t namespace_id = 0;
  std::int64_t user_id = 0;
};

struct GitInfo {
  std::string repo_url{};
  std::string repo_object_format = "sha1";
  std::string ref{};
  std::string sha{};
  std::string before_sha{};
  std::string ref_type = "branch";
  std::vector<std::string> refspecs{};
  int depth = 0;
  std::optional<bool> is_protected{};
};

struct RunnerInfo {
  std::string uuid{};
  /// Seconds; 0 means the runner's default of two hours.
  std::int64_t timeout = 0;
};

struct Step {
  std::string name{};
  std::vector<std::string> script{};
  std::int64_t timeout = 0;
  std::string when = "on_success";
  bool allow_failure = false;
};

struct Image {
  std::string name{};
  std::string alias{};
  std::vector<std::string> command{};
  std::optional<std::vector<std::string>> entrypoint{};
  std::vector<Variable> variables{};
  std::vector<std::string> pull_policy{};
  std::string docker_platform{};
  std::string docker_user{};
  std::string kubernetes_user{};
};

struct Artifact {
  std::string name{};
  bool untracked = false;
  std::vector<std::string> paths{};
  std::vector<std::string> exclude{};
  std::string when = "on_success";
  /// archive, junit, dotenv, ...
  std::string type = "archive";
  /// zip, gzip, raw; empty is zip.
  std::string format = "zip";
  std::string expire_in{};
};

struct Cache {
  std::string key{};
  bool untracked = false;
  std::string policy = "pull-push";
  std::vector<std::string> paths{};
  std::string when = "on_success";
  std::vector<std::string> fallback_keys{};
};

struct Credential {
  std::string type = "registry";
  std::string url{};
  std::string username{};
  std::string password{};
};

struct Dependency {
  std::int64_t id = 0;
  std::string token{};
  std::string name{};
  /// Empty: that job left no archive.
  std::string filename{};
  std::int64_t size = 0;
};

struct Hook {
  std::string name{};
  std::vector<std::string> script{};
};

struct Payload {
  std::int64_t id = 0;
  std::string token{};
  bool allow_git_fetch = true;
  JobInfo job_info{};
  GitInfo git_info{};
  RunnerInfo runner_info{};
  std::vector<Variable> variables{};
  std::vector<Step> steps{};
  /// An empty name: the job names no image.
  Image image{};
  std::vector<Image> services{};
  std::vector<Artifact> artifacts{};
  std::vector<Cache> cache{};
  std::vector<Credential> credentials{};
  std::vector<Dependency> dependencies{};
  bool trace_sections = false;
  std::vector<std::string> failure_reasons{};
  std::vector<Hook> hooks{};
};

/// The content of JOB_RESPONSE_FILE: one JSON object as Go encodes it (`<`, `>`
/// and `&` escaped, invalid UTF-8 replaced, missing lists null), and a newline.
/// Internal variables are left out.
std::string response_file(const Payload& payload);

/// The value of CUSTOM_ENV_CI_JOB_SERVICES: empty without services; service
/// variables expanded against the job's.
std::string services_json(const std::vector<Image>& services, const VariableList& variables);

/// The aliases a service declares: separated by commas or blanks.
std::vector<std::string> split_aliases(std::string_view alias);

}  // namespace berth::local::runner
