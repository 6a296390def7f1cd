#include "executor/gitlab/container_environment.hpp"

#include "executor/core/expand.hpp"

#include <algorithm>
#include <array>

namespace berth::gitlab {
namespace {

// Runner-internal variables of type file; the response does not list them.
constexpr std::array<std::string_view, 3> k_internal_files{
    "CI_SERVER_TLS_CA_FILE", "CI_SERVER_TLS_CERT_FILE", "CI_SERVER_TLS_KEY_FILE"};

bool contains(const auto& range, std::string_view key) {
  return std::find(range.begin(), range.end(), key) != range.end();
}

}  // namespace

core::Variables expanded_variables(const core::Job& job, const RunnerEnvironment& environment) {
  core::Variables all;
  for (const auto& [key, value] : environment.variables) {
    if (key == "CI_JOB_SERVICES") continue;
    core::Variable variable{.key = key, .value = value};
    if (const core::Variable* sent = job.variables.find(key)) {
      variable.is_public = sent->is_public;
      variable.file = sent->file;
      variable.masked = sent->masked;
      variable.raw = sent->raw;
    } else {
      variable.file = contains(k_internal_files, key);
    }
    all.set(std::move(variable));
  }
  return all;
}

core::Variables container_environment(const core::Job& job, const core::Variables& expanded) {
  core::Variables allowed;
  for (core::Variable variable : expanded.all()) {
    // A resolved secret hides a job variable of its name, public or not.
    if (contains(job.secret_keys, variable.key)) continue;
    const bool internal = job.variables.find(variable.key) == nullptr;
    if (!internal && !variable.is_public) continue;
    if (variable.file) {
      variable.value = core::file_variable_path(expanded, variable.key);
      variable.file = false;
    }
    allowed.set(std::move(variable));
  }
  return allowed;
}

core::Variables service_environment(const core::Variables& container,
                                    const core::Variables& expanded,
                                    const std::vector<core::Variable>& own) {
  core::Variables source = expanded;
  for (const core::Variable& variable : own) source.set(variable);
  core::Variables all = container;
  for (core::Variable variable : own) {
    if (!variable.raw) variable.value = core::expand(variable.value, source);
    all.set(std::move(variable));
  }
  return all;
}

}  // namespace berth::gitlab
