#include "executor/core/expand.hpp"
#include "executor/core/names.hpp"
#include "executor/core/plan_parts.hpp"
#include "executor/core/volume.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <set>

namespace berth::core {
namespace {

/// Whether the checkout is kept for the next job: only `fetch` makes use of it
/// (gitlab-runner, common/build_settings.go; odd values mean the default).
bool keeps_checkout(const Job& job, const Variables& expanded) {
  const std::string strategy = expanded.get("GIT_STRATEGY");
  if (strategy == "fetch") return true;
  if (strategy == "clone" || strategy == "none" || strategy == "empty") return false;
  return job.allow_git_fetch;
}

class Planner {
 public:
  Planner(JobSpec& spec, const Job& job, const Policy& policy, const Identity& identity)
      : m_spec(spec), m_policy(policy), m_identity(identity) {
    // What parts projects, and protected refs from others, stands in clear and
    // comes from GitLab; hashed is what a job can choose.
    const Variable* host = job.variables.find_original("CI_SERVER_HOST");
    m_prefix =
        fmt::format("berth-{}-project-{}",
                    sanitize_name(host == nullptr ? "gitlab" : host->value, 100), job.project_id);
    m_suffix = job.ref_protected ? "-protected" : "";
  }

  bool taken(const std::string& destination) const { return m_taken.contains(destination); }

  std::string kept_name(std::string_view kind, bool per_slot) const {
    const std::string runner = stable_hash(m_identity.runner_short_token + "\n" +
                                           (per_slot ? m_identity.concurrent_project_id : "*"));
    return fmt::format("{}-{}-{}{}", m_prefix, runner, kind, m_suffix);
  }

  void bind(const std::string& source, const std::string& destination, const std::string& mode) {
    take(destination);
    m_spec.binds.push_back({.source = source, .destination = destination, .mode = mode});
  }

  /// Kept for the next job of the project, or removed with this one.
  void volume(const std::string& destination, std::string_view kind, bool kept, bool per_slot) {
    take(destination);
    if (!kept || m_policy.disable_cache) {
      m_spec.volumes.push_back({.name = fmt::format("{}-{}", m_spec.resource_name, kind),
                                .destination = destination,
                                .per_job = true});
      return;
    }
    const std::string name = kept_name(kind, per_slot);
    if (m_policy.cache_dir.empty()) {
      m_spec.volumes.push_back({.name = name, .destination = destination, .per_job = false});
    } else {
      m_spec.binds.push_back({.source = clean_path(m_policy.cache_dir + "/" + name),
                              .destination = destination,
                              .mode = {}});
    }
  }

 private:
  void take(const std::string& destination) {
    if (!m_taken.insert(destination).second) {
      throw support::OperatorError(
          fmt::format("docker.volumes of berth.yaml: '{}' is mounted twice", destination));
    }
  }

  JobSpec& m_spec;
  const Policy& m_policy;
  const Identity& m_identity;
  std::string m_prefix;
  std::string m_suffix;
  std::set<std::string> m_taken;
};

}  // namespace

void plan_volumes(JobSpec& spec, const Job& job, const Variables& expanded, const Policy& policy,
                  const Identity& identity) {
  Planner planner(spec, job, policy, identity);
  for (const std::string& text : policy.volumes) {
    std::optional<VolumeEntry> entry = parse_volume(text);
    if (entry) {
      // The destination alone is expanded, as the built-in executor does: what
      // the job's variables put there must not become a source or a mode.
      const auto expanded_entry = parse_volume(expand(entry->destination, expanded));
      if (expanded_entry && expanded_entry->source.empty()) {
        entry->destination = expanded_entry->destination;
      } else {
        entry.reset();
      }
    }
    if (!entry) {
      throw support::OperatorError(
          fmt::format("docker.volumes of berth.yaml: not a volume: '{}'", text),
          "write /path or source:/path[:mode]");
    }
    if (!entry->source.empty()) {
      planner.bind(entry->source, entry->destination, entry->mode);
    } else if (entry->destination == spec.builds_dir) {
      planner.volume(entry->destination, "builds", true, true);
    } else if (entry->destination == spec.cache_dir) {
      planner.volume(entry->destination, "cache", true, false);
    } else {
      planner.volume(entry->destination, "volume-" + stable_hash(entry->destination), true, true);
    }
  }
  if (!planner.taken(spec.builds_dir)) {
    planner.volume(spec.builds_dir, "builds", keeps_checkout(job, expanded), true);
  }
  if (!planner.taken(spec.cache_dir)) planner.volume(spec.cache_dir, "cache", true, false);
  if (policy.docker_in_docker_keep_layers) spec.layers_volume = planner.kept_name("docker", true);
}

}  // namespace berth::core
