#include "executor/environments/deployment_json.hpp"

#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace berth::environments {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// The word of an enumeration; an unknown one (of a later version) is the last.
template <typename Enum, std::size_t N>
Enum word(const json& object, const char* key, const std::array<Enum, N>& all, Enum none) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return none;
  const auto& text = found->get_ref<const std::string&>();
  for (const Enum one : all) {
    if (text == to_string(one)) return one;
  }
  return all.back();
}

template <typename T>
void take(const json& object, const char* key, T& value) {
  const auto found = object.find(key);
  if (found != object.end() && !found->is_null()) value = found->template get<T>();
}

std::int64_t time_of(const json& object, const char* key) {
  std::string text;
  take(object, key, text);
  return unix_time(text);
}

ordered_json time_or_null(std::int64_t time) {
  return time == 0 ? ordered_json() : ordered_json(iso_time(time));
}

constexpr std::array k_actions{Action::start, Action::prepare, Action::verify, Action::access,
                               Action::stop};
constexpr std::array k_origins{Origin::job, Origin::rollback, Origin::promotion, Origin::stop};
constexpr std::array k_results{Result::running, Result::success, Result::failed, Result::canceled,
                               Result::lost};
constexpr std::array k_changes{Change::created, Change::updated, Change::removed,
                               Change::unchanged};

}  // namespace

std::string iso_time(std::int64_t unix_seconds) {
  // The years that four digits have: a damaged record must not end the program.
  constexpr std::int64_t k_last = 253402300799;
  const auto time = static_cast<std::time_t>(unix_seconds < 0        ? 0
                                             : unix_seconds > k_last ? k_last
                                                                     : unix_seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::int64_t unix_time(std::string_view iso) {
  std::tm parts{};
  const std::string text(iso);
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return 0;
  return ::timegm(&parts);
}

ordered_json to_json(const Workload& workload, bool with_manifest) {
  ordered_json containers = ordered_json::array();
  for (const ContainerImage& one : workload.containers) {
    containers.push_back(
        {{"container", one.container}, {"image", one.image}, {"digest", one.digest}});
  }
  ordered_json result{{"kind", workload.kind},
                      {"namespace", workload.name_space},
                      {"name", workload.name},
                      {"change", to_string(workload.change)},
                      {"revision_before", workload.revision_before},
                      {"revision_after", workload.revision_after},
                      {"containers", std::move(containers)}};
  if (with_manifest && !workload.manifest.empty()) result["manifest"] = workload.manifest;
  return result;
}

ordered_json to_json(const Deployment& deployment, bool with_manifests) {
  ordered_json workloads = ordered_json::array();
  for (const Workload& one : deployment.workloads)
    workloads.push_back(to_json(one, with_manifests));
  return {
      {"id", deployment.id},
      {"number", deployment.number},
      {"environment", deployment.environment},
      {"tier", deployment.tier},
      {"action", to_string(deployment.action)},
      {"origin", to_string(deployment.origin)},
      {"of_number", deployment.of_number},
      {"of_environment", deployment.of_environment},
      {"user", deployment.user},
      {"project", deployment.project},
      {"project_id", deployment.project_id},
      {"ref", deployment.ref},
      {"sha", deployment.sha},
      {"pipeline", deployment.pipeline},
      {"job", deployment.job},
      {"job_url", deployment.job_url},
      {"url", deployment.url},
      {"cluster", deployment.cluster},
      {"namespace", deployment.name_space},
      {"break_glass", deployment.break_glass},
      {"approved_by", deployment.approved_by},
      {"started", time_or_null(deployment.started)},
      {"ended", time_or_null(deployment.ended)},
      {"duration_s", deployment.ended == 0 ? ordered_json()
                                           : ordered_json(deployment.ended - deployment.started)},
      {"result", to_string(deployment.result)},
      {"cause", deployment.cause},
      {"workloads", std::move(workloads)}};
}

Workload workload_of(const json& object) {
  Workload workload;
  take(object, "kind", workload.kind);
  take(object, "namespace", workload.name_space);
  take(object, "name", workload.name);
  workload.change = word(object, "change", k_changes, Change::unchanged);
  take(object, "revision_before", workload.revision_before);
  take(object, "revision_after", workload.revision_after);
  take(object, "manifest", workload.manifest);
  if (const auto all = object.find("containers"); all != object.end() && !all->is_null()) {
    for (const json& one : all->get_ref<const json::array_t&>()) {
      ContainerImage& image = workload.containers.emplace_back();
      take(one, "container", image.container);
      take(one, "image", image.image);
      take(one, "digest", image.digest);
    }
  }
  return workload;
}

Deployment deployment_of(const json& object, std::string_view name) {
  try {
    object.get_ref<const json::object_t&>();
    Deployment deployment;
    take(object, "id", deployment.id);
    take(object, "number", deployment.number);
    take(object, "environment", deployment.environment);
    take(object, "tier", deployment.tier);
    deployment.action = word(object, "action", k_actions, Action::start);
    deployment.origin = word(object, "origin", k_origins, Origin::job);
    take(object, "of_number", deployment.of_number);
    take(object, "of_environment", deployment.of_environment);
    take(object, "user", deployment.user);
    take(object, "project", deployment.project);
    take(object, "project_id", deployment.project_id);
    take(object, "ref", deployment.ref);
    take(object, "sha", deployment.sha);
    take(object, "pipeline", deployment.pipeline);
    take(object, "job", deployment.job);
    take(object, "job_url", deployment.job_url);
    take(object, "url", deployment.url);
    take(object, "cluster", deployment.cluster);
    take(object, "namespace", deployment.name_space);
    take(object, "break_glass", deployment.break_glass);
    take(object, "approved_by", deployment.approved_by);
    deployment.started = time_of(object, "started");
    deployment.ended = time_of(object, "ended");
    deployment.result = word(object, "result", k_results, Result::running);
    take(object, "cause", deployment.cause);
    if (const auto all = object.find("workloads"); all != object.end() && !all->is_null()) {
      for (const json& one : all->get_ref<const json::array_t&>()) {
        deployment.workloads.push_back(workload_of(one));
      }
    }
    return deployment;
  } catch (const json::exception& error) {
    throw support::json_error(error, name);
  }
}

}  // namespace berth::environments
