#include "executor/kubernetes/pod/containers.hpp"

#include "executor/kubernetes/pod/environment.hpp"
#include "executor/kubernetes/pod/overwrites.hpp"
#include "executor/kubernetes/pod/security.hpp"
#include "executor/kubernetes/pod/volumes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace berth::kubernetes {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

json amounts(const settings::Amounts& amounts) {
  json object = json::object();
  if (!amounts.cpu.empty()) object["cpu"] = amounts.cpu;
  if (!amounts.memory.empty()) object["memory"] = amounts.memory;
  if (!amounts.ephemeral_storage.empty()) object["ephemeral-storage"] = amounts.ephemeral_storage;
  return object;
}

json variable(const std::string& name, const std::string& value) {
  return {{"name", name}, {"value", escaped(value)}};
}

/// In the place of one of that name.
void put_variable(json& env, const std::string& name, const std::string& value) {
  for (json& one : env) {
    if (one.at("name") == name) {
      one = variable(name, value);
      return;
    }
  }
  env.push_back(variable(name, value));
}

/// `opens`: directories that the agent may open for every user (it must be root).
json agent_options(const core::JobSpec& spec, const std::string& opens) {
  return {{"name", "BERTH_AGENT"},
          {"value",
           fmt::format("run={};lease={};deadline={};orphan={};overfill={}{}{}", k_run_directory,
                       k_lease_directory, spec.deadline, spec.orphan_timeout.count(),
                       k_lease_overfill, opens.empty() ? "" : ";open=", opens)}};
}

/// Words as Kubernetes gives them on unchanged.
json words(const Words& all) {
  json list = json::array();
  for (const std::string& word : all) list.push_back(escaped(word));
  return list;
}

/// Whether an entrypoint was written, and is not [""], which takes the image's away.
bool has_words(const std::optional<Words>& entrypoint) {
  return entrypoint && !entrypoint->empty() && *entrypoint != Words{""};
}

json container(const std::string& name, const core::ContainerSpec& spec, const PodInputs& inputs,
               std::size_t number, const settings::Resources& resources) {
  const std::size_t attempt =
      number < inputs.pull_attempts.size() ? inputs.pull_attempts[number] : 0;
  json body = {{"name", name}, {"image", spec.image}};
  if (const std::string policy = pull_policy(spec, attempt); !policy.empty()) {
    body["imagePullPolicy"] = policy;
  }
  if (json given = resource_requirements(resources); !given.empty()) {
    body["resources"] = std::move(given);
  }
  if (!inputs.settings.container_lifecycle.empty()) {
    body["lifecycle"] = json::parse(inputs.settings.container_lifecycle);
  }
  return body;
}

}  // namespace

json resource_requirements(const settings::Resources& resources) {
  json object = json::object();
  if (json limits = amounts(resources.limits); !limits.empty()) {
    object["limits"] = std::move(limits);
  }
  if (json requests = amounts(resources.requests); !requests.empty()) {
    object["requests"] = std::move(requests);
  }
  return object;
}

json build_container(const core::JobSpec& spec, const PodInputs& inputs,
                     std::vector<std::string>& notes) {
  const settings::Kubernetes& settings = inputs.settings;
  const std::string name(k_build_container);
  json body = container(name, spec.build, inputs, 0, settings.build);
  const json agent = {k_agent_program, "serve"};
  const bool honor = inputs.expanded.is_on("FF_KUBERNETES_HONOR_ENTRYPOINT");
  const bool cleared =
      spec.build.entrypoint && !has_words(spec.build.entrypoint) && !spec.build.entrypoint->empty();
  if (honor && !cleared) {
    if (has_words(spec.build.entrypoint)) body["command"] = words(*spec.build.entrypoint);
    body["args"] = agent;
  } else {
    body["command"] = agent;
  }
  json& env = body["env"] = json::array();
  for (const NameValue& one : build_environment(inputs).plain) {
    env.push_back(variable(one.name, one.value));
  }
  if (inputs.daemons != nullptr) {
    for (const auto& [key, value] : inputs.daemons->found.client) put_variable(env, key, value);
  }
  env.push_back(agent_options(spec, ""));
  json security = container_security_context(settings, settings.build_security);
  set_job_user(security, settings, settings.build_security, spec.build.user, name, notes);
  body["securityContext"] = std::move(security);
  body["volumeMounts"] = agent_mounts(spec, inputs, name);
  if (inputs.daemons != nullptr) add_client_mounts(body["volumeMounts"], *inputs.daemons);
  return body;
}

json helper_container(const core::JobSpec& spec, const PodInputs& inputs) {
  const settings::Kubernetes& settings = inputs.settings;
  json body = container(std::string(k_helper_container), spec.helper, inputs, 1, settings.helper);
  body["command"] = {k_agent_program, "serve"};
  body["env"] = json::array({agent_options(spec, directories_to_open(spec, inputs))});
  body["securityContext"] = container_security_context(settings, settings.helper_security);
  body["volumeMounts"] = agent_mounts(spec, inputs, k_helper_container);
  return body;
}

json service_container(const core::JobSpec& spec, std::size_t index, const std::string& name,
                       const PodInputs& inputs, std::vector<std::string>& notes) {
  const settings::Kubernetes& settings = inputs.settings;
  const core::ContainerSpec& service = spec.services.at(index).container;
  const Words none;
  const bool known = index < inputs.services.size();
  json body =
      container(name, service, inputs, 2 + index,
                service_resources(
                    settings, known ? inputs.services[index].own : std::vector<core::Variable>{},
                    name, notes));
  if (has_words(service.entrypoint)) {
    body["command"] = words(*service.entrypoint);
    if (has_words(service.command)) body["args"] = words(*service.command);
  } else if (has_words(service.command)) {
    const bool cleared = service.entrypoint && !service.entrypoint->empty();
    body[cleared ? "command" : "args"] = words(*service.command);
  }

  const ContainerEnvironment environment = service_environment(inputs, index);
  json env = json::array();
  for (const NameValue& one : environment.plain) env.push_back(variable(one.name, one.value));
  for (const NameValue& one : environment.secret) {
    env.push_back(
        {{"name", one.name},
         {"valueFrom",
          {{"secretKeyRef", {{"name", secret_name(spec)}, {"key", name + "." + one.name}}}}}});
  }
  if (!environment.withheld.empty()) {
    notes.push_back(fmt::format(
        "service '{}' is not given {}: a masked value stands in it; name it in the service's own "
        "variables if it needs it",
        name, fmt::join(environment.withheld, ", ")));
  }
  if (!env.empty()) body["env"] = std::move(env);
  json security = container_security_context(settings, settings.service_security);
  set_job_user(security, settings, settings.service_security, service.user, name, notes);
  body["securityContext"] = std::move(security);
  body["volumeMounts"] = job_mounts(spec, inputs);
  if (inputs.daemons != nullptr) {
    add_daemon_mounts(body["volumeMounts"], *inputs.daemons, index);
  }
  return body;
}

json agent_container(const PodInputs& inputs) {
  const settings::Kubernetes& settings = inputs.settings;
  json body = {
      {"name", k_agent_container},
      {"image", settings.agent_image},
      {"command", {"/berth-agent", "install", k_agent_directory}},
      {"securityContext", container_security_context(settings, settings.init_security)},
      {"volumeMounts", json::array({{{"name", "berth-agent"}, {"mountPath", k_agent_directory}}})}};
  if (json given = resource_requirements(settings.helper); !given.empty()) {
    body["resources"] = std::move(given);
  }
  return body;
}

}  // namespace berth::kubernetes
