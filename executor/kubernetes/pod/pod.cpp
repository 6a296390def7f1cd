#include "executor/kubernetes/pod/pod.hpp"

#include "executor/kubernetes/pod/containers.hpp"
#include "executor/kubernetes/pod/job_secret.hpp"
#include "executor/kubernetes/pod/metadata.hpp"
#include "executor/kubernetes/pod/pod_patch.hpp"
#include "executor/kubernetes/pod/security.hpp"
#include "executor/kubernetes/pod/volumes.hpp"
#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

constexpr const char* k_arch_key = "kubernetes.io/arch";
/// The API's own (core/validation: a 32 bit number).
constexpr std::int64_t k_longest_deadline = 2'147'483'647;
constexpr const char* k_os_key = "kubernetes.io/os";

void set_if(json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

json node_selector(const PodInputs& inputs) {
  Labels labels = inputs.settings.node_selector;
  labels.emplace(k_os_key, "linux");
  // An image has its own way to be of several architectures; a ConfigMap has none.
  if (inputs.settings.agent_image.empty() && !inputs.architecture.empty()) {
    labels.emplace(k_arch_key, inputs.architecture);
  }
  return labels;
}

json tolerations(const std::map<std::string, std::string>& all) {
  json list = json::array();
  for (const auto& [name, effect] : all) {
    const std::size_t equals = name.find('=');
    json one = {{"operator", equals == std::string::npos ? "Exists" : "Equal"}};
    // No key, no effect: tolerates everything.
    set_if(one, "key", name.substr(0, equals));
    if (equals != std::string::npos) one["value"] = name.substr(equals + 1);
    set_if(one, "effect", effect);
    list.push_back(std::move(one));
  }
  return list;
}

/// Services answer to all of their names at the pod's own address. They come
/// first, so that no alias of the settings takes one of them.
json host_aliases(const core::JobSpec& spec, const PodInputs& inputs,
                  std::vector<std::string>& notes) {
  json names = json::array();
  for (const core::ServiceSpec& service : spec.services) {
    for (const std::string& alias : service.aliases) {
      if (settings::is_dns_subdomain(alias)) {
        names.push_back(alias);
      } else if (alias.find("__") == std::string::npos) {
        // The names with "__" are made up from the image's; they seldom can be.
        notes.push_back(fmt::format(
            "service '{}' cannot be reached as '{}': Kubernetes takes lower case letters, digits, "
            "dashes and dots alone",
            service.container.image, alias));
      }
    }
  }
  json all = json::array();
  if (!names.empty()) all.push_back({{"ip", "127.0.0.1"}, {"hostnames", std::move(names)}});
  for (const settings::HostAlias& alias : inputs.settings.host_aliases) {
    all.push_back({{"ip", alias.ip}, {"hostnames", alias.hostnames}});
  }
  return all;
}

json image_pull_secrets(const core::JobSpec& spec, const PodInputs& inputs) {
  json all = json::array();
  if (inputs.settings.use_service_account_image_pull_secrets) return all;
  for (const std::string& name : inputs.settings.image_pull_secrets)
    all.push_back({{"name", name}});
  if (inputs.registry_logins) all.push_back({{"name", secret_name(spec)}});
  return all;
}

bool wants_deadline(const core::Variables& variables) {
  // On unless a job says otherwise.
  constexpr const char* k_flag = "FF_USE_POD_ACTIVE_DEADLINE_SECONDS";
  return variables.get(k_flag).empty() || variables.is_on(k_flag);
}

void set_list(json& object, const char* key, json list) {
  if (!list.empty()) object[key] = std::move(list);
}

void set_settings(json& body, const settings::Kubernetes& settings) {
  set_if(body, "serviceAccountName", settings.service_account);
  if (settings.automount_service_account_token) {
    body["automountServiceAccountToken"] = *settings.automount_service_account_token;
  }
  if (settings.pod_termination_grace_period) {
    body["terminationGracePeriodSeconds"] = settings.pod_termination_grace_period->count();
  }
  set_list(body, "securityContext", pod_security_context(settings.pod_security));
  set_list(body, "resources", resource_requirements(settings.pod));
  set_list(body, "tolerations", tolerations(settings.node_tolerations));
  if (!settings.affinity.empty()) body["affinity"] = json::parse(settings.affinity);
  set_if(body, "schedulerName", settings.scheduler_name);
  set_if(body, "priorityClassName", settings.priority_class_name);
  if (settings.runtime_class_name) body["runtimeClassName"] = *settings.runtime_class_name;
  set_if(body, "dnsPolicy", settings.dns_policy);
  if (!settings.dns_config.empty()) body["dnsConfig"] = json::parse(settings.dns_config);
}

json pod_spec(const core::JobSpec& spec, const PodInputs& inputs, std::vector<std::string>& notes) {
  json body = {{"restartPolicy", "Never"},
               {"nodeSelector", node_selector(inputs)},
               {"volumes", pod_volumes(spec, inputs)}};
  if (!inputs.settings.agent_image.empty()) {
    body["initContainers"] = json::array({agent_container(inputs)});
  }
  json containers =
      json::array({build_container(spec, inputs, notes), helper_container(spec, inputs)});
  const std::vector<std::string> names = service_container_names(spec);
  for (std::size_t i = 0; i < names.size(); ++i) {
    containers.push_back(service_container(spec, i, names[i], inputs, notes));
  }
  body["containers"] = std::move(containers);
  set_list(body, "hostAliases", host_aliases(spec, inputs, notes));
  set_list(body, "imagePullSecrets", image_pull_secrets(spec, inputs));
  if (wants_deadline(inputs.expanded)) {
    body["activeDeadlineSeconds"] =
        std::clamp<std::int64_t>(spec.deadline - inputs.now, 1, k_longest_deadline);
  }
  set_settings(body, inputs.settings);
  if (needs_secret(spec, inputs)) {
    body["schedulingGates"] = json::array({{{"name", k_secret_gate}}});
  }
  return body;
}

/// A patch can do much, but without these there is no job.
void check_patched(const json& body) {
  for (const std::string_view name : {k_build_container, k_helper_container}) {
    const auto list = body.find("containers");
    const bool there = list != body.end() && list->is_array() &&
                       std::any_of(list->begin(), list->end(), [&](const json& one) {
                         return one.is_object() && one.contains("name") && one.at("name") == name;
                       });
    if (!there) {
      throw support::OperatorError(fmt::format(
          "kubernetes.pod_spec of berth.yaml: its patches leave no container '{}'", name));
    }
  }
}

}  // namespace

std::string pull_policy(const core::ContainerSpec& container, std::size_t attempt) {
  if (attempt >= container.pull_policies.size()) return {};
  const std::string& word = container.pull_policies[attempt];
  if (word == "always") return "Always";
  return word == "never" ? "Never" : "IfNotPresent";
}

std::string node_architecture(const settings::Kubernetes& settings, std::string_view machine) {
  const auto found = settings.node_selector.find(k_arch_key);
  if (found != settings.node_selector.end()) return found->second;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "armv6l" || machine == "armv7l") return "arm";
  if (machine == "i686" || machine == "i386") return "386";
  return std::string(machine);
}

json make_pod(const core::JobSpec& spec, const PodInputs& inputs, std::vector<std::string>& notes) {
  json body = pod_spec(spec, inputs, notes);
  if (!inputs.settings.pod_spec.empty()) {
    apply_patches(body, inputs.settings.pod_spec);
    check_patched(body);
  }
  if (inputs.daemons != nullptr) require_privileges(spec, *inputs.daemons, body);
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", pod_metadata(spec, inputs)},
          {"spec", std::move(body)}};
}

json remove_gate_patch(const json& pod) {
  const json gates = pod.value("/spec/schedulingGates"_json_pointer, json::array());
  json patch = json::array();
  for (std::size_t i = 0; i < gates.size(); ++i) {
    if (gates[i].value("name", "") != k_secret_gate) continue;
    const std::string path = fmt::format("/spec/schedulingGates/{}", i);
    patch.push_back({{"op", "test"}, {"path", path + "/name"}, {"value", k_secret_gate}});
    patch.push_back({{"op", "remove"}, {"path", path}});
    break;
  }
  return patch;
}

}  // namespace berth::kubernetes
