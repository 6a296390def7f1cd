#include "executor/kubernetes/pod/job_secret.hpp"

#include "executor/kubernetes/pod/environment.hpp"
#include "executor/support/base64.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

/// How the kubelet finds a login for an image: by registry host, or host and path;
/// Docker Hub goes by the address it had first.
std::string server_of(const credentials::RegistryLogin& login) {
  constexpr std::string_view k_hub = "docker.io";
  const bool hub = login.registry == k_hub || login.registry == "index.docker.io";
  return hub ? "https://index.docker.io/v1/" : login.registry;
}

json auth_of(const credentials::RegistryLogin& login) {
  if (!login.identity_token.empty()) {
    return {{"identitytoken", login.identity_token.expose()}};
  }
  const std::string pair = login.username + ":" + std::string(login.password.expose());
  return {{"username", login.username},
          {"password", login.password.expose()},
          {"auth", support::base64_encode(pair)}};
}

}  // namespace

credentials::RegistryLogins logins_of_images(const core::JobSpec& spec,
                                             const credentials::RegistryLogins& all) {
  std::vector<const credentials::RegistryLogin*> found;
  const auto add = [&](const core::ContainerSpec& container) {
    const credentials::RegistryLogin* login = all.find(container.image);
    if (login != nullptr && std::find(found.begin(), found.end(), login) == found.end()) {
      found.push_back(login);
    }
  };
  add(spec.build);
  add(spec.helper);
  for (const core::ServiceSpec& service : spec.services) add(service.container);
  std::vector<credentials::RegistryLogin> logins;
  logins.reserve(found.size());
  for (const credentials::RegistryLogin* login : found) logins.push_back(*login);
  return credentials::RegistryLogins(std::move(logins));
}

bool needs_secret(const core::JobSpec& spec, const PodInputs& inputs) {
  if (inputs.registry_logins && !inputs.settings.use_service_account_image_pull_secrets) {
    return true;
  }
  if (inputs.daemons != nullptr && inputs.daemons->certificates) return true;
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    if (!service_environment(inputs, i).secret.empty()) return true;
  }
  return false;
}

json job_secret(const core::JobSpec& spec, const PodInputs& inputs,
                const credentials::RegistryLogins& logins, std::string_view pod_uid) {
  json data = json::object();
  if (inputs.daemons != nullptr && inputs.daemons->certificates) {
    data = certificate_data(*inputs.daemons->certificates);
  }
  const std::vector<std::string> names = service_container_names(spec);
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const NameValue& one : service_environment(inputs, i).secret) {
      data[names[i] + "." + one.name] = support::base64_encode(one.value);
    }
  }
  if (!logins.all().empty()) {
    json auths = json::object();
    for (const credentials::RegistryLogin& login : logins.all()) {
      auths[server_of(login)] = auth_of(login);
    }
    const json config = {{"auths", std::move(auths)}};
    data[".dockerconfigjson"] =
        support::base64_encode(config.dump(-1, ' ', false, json::error_handler_t::replace));
  }
  const Marks marks = attempt_marks(spec, inputs.host, "secret");
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata",
           {{"name", secret_name(spec)},
            {"labels", marks.labels},
            {"annotations", marks.annotations},
            {"ownerReferences", json::array({{{"apiVersion", "v1"},
                                              {"kind", "Pod"},
                                              {"name", pod_name(spec)},
                                              {"uid", pod_uid}}})}}},
          {"type", logins.all().empty() ? "Opaque" : "kubernetes.io/dockerconfigjson"},
          {"immutable", true},
          {"data", std::move(data)}};
}

}  // namespace berth::kubernetes
