#include "tests/unit/kubernetes_pod/pod_fixture.hpp"

#include "executor/gitlab/container_environment.hpp"
#include "executor/kubernetes/pod/overwrites.hpp"
#include "tests/unit/core/fixtures.hpp"

namespace berth::tests {
namespace {

using nlohmann::json;

/// The element of an array that has that name.
json named(const json& list, const std::string& name) {
  for (const json& one : list) {
    if (one.at("name") == name) return one;
  }
  return nullptr;
}

}  // namespace

PodFixture::PodFixture() : job(a_job()) {
  job.id = 42;
  job.name = "unit tests";
  job.project_id = 7;
  job.ref = "feature/x";
  job.timeout = std::chrono::seconds(3600);
  variable({.key = "CI_JOB_URL",
            .value = "https://gitlab.example.com/g/p/-/jobs/42",
            .is_public = true});
  variable({.key = "CI_PROJECT_NAME", .value = "p", .is_public = true});
  variable({.key = "CI_PROJECT_NAMESPACE", .value = "g/sub", .is_public = true});
}

void PodFixture::variable(core::Variable variable) {
  job.variables.set(variable);
  expanded.set(std::move(variable));
}

core::Image& PodFixture::service(const std::string& image, const std::string& alias) {
  job.services.push_back(core::Image{.name = image, .alias = alias});
  return job.services.back();
}

core::JobSpec PodFixture::plan() {
  settings = settings::parse("backend: kubernetes\n" + yaml, "berth.yaml");
  core::Identity identity = an_identity();
  identity.attempt = "0123456789ab";
  core::JobSpec spec = core::plan(job, expanded, settings.policy, identity);
  kubernetes::JobSettings overwritten = kubernetes::apply_overwrites(settings.kubernetes, expanded);
  settings.kubernetes = std::move(overwritten.settings);
  notes = spec.notes;
  notes.insert(notes.end(), overwritten.notes.begin(), overwritten.notes.end());
  m_containers = gitlab::container_environment(job, expanded);
  // What follows does not come from a runner, so it is not labelled with ours.
  spec.labels["berth.version"] = "x";
  return spec;
}

kubernetes::PodInputs PodFixture::inputs(const core::JobSpec& spec) {
  kubernetes::PodInputs inputs{
      .settings = settings.kubernetes, .expanded = expanded, .container_environment = m_containers};
  for (const core::ServiceSpec& service : spec.services) {
    if (service.spare_daemon) {
      inputs.services.emplace_back();
      continue;
    }
    inputs.services.push_back(
        {.own = service.job_index >= 0
                    ? job.services.at(static_cast<std::size_t>(service.job_index)).variables
                    : settings.policy.services.at(static_cast<std::size_t>(service.settings_index))
                          .variables});
  }
  inputs.host = "feed-1:2";
  inputs.now = 1'000'010;
  inputs.architecture = kubernetes::node_architecture(settings.kubernetes, "x86_64");
  inputs.agent_config_map = "berth-agent-amd64-0123456789ab";
  inputs.registry_logins = registry_logins;
  inputs.pull_attempts = pull_attempts;
  inputs.memory = memory;
  return inputs;
}

json PodFixture::pod() {
  const core::JobSpec spec = plan();
  json made = kubernetes::make_pod(spec, inputs(spec), notes);
  made["metadata"]["labels"]["berth.version"] = "x";
  return made;
}

json container(const json& pod, const std::string& name) {
  return named(pod.at("spec").at("containers"), name);
}

json env(const json& container, const std::string& name) {
  return named(container.value("env", json::array()), name);
}

}  // namespace berth::tests
