#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/core/planner.hpp"
#include "executor/kubernetes/pod/pod.hpp"
#include "executor/settings/settings.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace berth::tests {

/// From a job and berth.yaml to the pod, as config and prepare do it.
struct PodFixture {
  PodFixture();

  core::Job job;
  /// What CUSTOM_ENV_ has: the job's variables, expanded, and the runner's own.
  core::Variables expanded;
  /// berth.yaml, without `backend`.
  std::string yaml;
  bool registry_logins = false;
  std::vector<std::size_t> pull_attempts;
  std::vector<std::string> memory;

  /// Adds a variable of the job.
  void variable(core::Variable variable);
  /// A service of the job, with an alias.
  core::Image& service(const std::string& image, const std::string& alias);

  /// Everything below plans anew.
  nlohmann::json pod();
  core::JobSpec plan();
  /// Valid until the next call; plan() comes first.
  kubernetes::PodInputs inputs(const core::JobSpec& spec);

  /// Of the last pod(): planner's, overwrites' and the pod's.
  std::vector<std::string> notes;
  /// After the job's overwrites; of the last plan().
  settings::Settings settings;

 private:
  core::Variables m_containers;
};

/// The container of that name; null where there is none.
nlohmann::json container(const nlohmann::json& pod, const std::string& name);
/// Its variable's entry; null where there is none.
nlohmann::json env(const nlohmann::json& container, const std::string& name);

}  // namespace berth::tests
