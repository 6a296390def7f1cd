#pragma once

#include "executor/support/secret.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What GitLab asked for: the trusted content of JOB_RESPONSE_FILE, as values
/// (gitlab-runner, common/spec/spec.go). Parsed by executor/gitlab.
namespace berth::core {

struct Variable {
  std::string key{};
  std::string value{};
  bool is_public = false;
  bool file = false;
  bool masked = false;
  bool raw = false;
  bool operator==(const Variable&) const = default;
};

/// In GitLab's order; of a key that stands twice the last wins.
class Variables {
 public:
  Variables() = default;
  explicit Variables(std::vector<Variable> all) : m_all(std::move(all)) {}

  void set(Variable variable) { m_all.push_back(std::move(variable)); }
  const Variable* find(std::string_view key) const;
  /// The first definition of a key. GitLab sends its predefined variables before
  /// those of the pipeline, so a job cannot override what this finds (as the
  /// runner reads CI_COMMIT_REF_PROTECTED, common/build.go IsProtected).
  const Variable* find_original(std::string_view key) const;
  /// True for 1, t and true in any case (common/spec/variables.go, Bool).
  bool is_on(std::string_view key) const;
  /// Value, or "" where there is none.
  std::string get(std::string_view key) const;
  const std::vector<Variable>& all() const noexcept { return m_all; }

 private:
  std::vector<Variable> m_all;
};

/// `image:` and each of `services:`.
struct Image {
  std::string name{};
  /// As written: several aliases stand separated by commas or blanks.
  std::string alias{};
  std::optional<std::vector<std::string>> entrypoint{};
  std::optional<std::vector<std::string>> command{};
  std::vector<std::string> pull_policy{};
  std::vector<Variable> variables{};
  /// executor_opts.docker
  std::string docker_platform{};
  std::string docker_user{};
  /// executor_opts.kubernetes
  std::string kubernetes_user{};
  bool operator==(const Image&) const = default;
};

/// One of artifacts[]: what a job uploads. Patterns as written, variables in them.
struct Artifacts {
  std::vector<std::string> paths{};
  std::vector<std::string> exclude{};
  /// Also what git does not know.
  bool untracked = false;
  bool operator==(const Artifacts&) const = default;
};

/// credentials[] of type registry.
struct RegistryCredential {
  std::string url{};
  std::string username{};
  support::Secret password{};
};

struct Job {
  std::int64_t id = 0;
  std::string name;
  std::string stage;
  std::int64_t project_id = 0;
  std::string project_name;
  std::string project_full_path;
  std::int64_t pipeline_id = 0;
  std::string ref;
  std::string sha;
  bool ref_protected = false;
  /// The project's default where the job sets no GIT_STRATEGY: fetch, else clone.
  bool allow_git_fetch = false;
  /// Never zero: GitLab's 0 has become the runner's default of two hours.
  std::chrono::seconds timeout{7200};
  std::string runner_uuid;
  std::optional<Image> image;
  std::vector<Image> services;
  Variables variables;
  std::vector<RegistryCredential> credentials;
  std::vector<Artifacts> artifacts;
  /// Keys of `secrets`: their values arrive as variables that are not public.
  std::vector<std::string> secret_keys;
};

}  // namespace berth::core
