#include "executor/kubernetes/rights.hpp"

#include "executor/sandbox/concurrently.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

namespace berth::kubernetes {
namespace {

using core::Finding;
using core::Health;

/// Connections at once: each costs a TLS handshake.
constexpr std::size_t k_askers = 4;
constexpr const char* k_check = "rights";

}  // namespace

std::string Right::object() const {
  return subresource.empty() ? resource.plural : resource.plural + "/" + subresource;
}

std::vector<Right> needed_rights(const settings::Kubernetes& settings) {
  using namespace resources;
  std::vector<Right> rights = {
      {.verb = "create", .resource = k_pods, .purpose = "to make the pod of a job"},
      {.verb = "get", .resource = k_pods, .purpose = "to tell why a container ended"},
      {.verb = "list", .resource = k_pods, .purpose = "to find the pods of dead jobs"},
      {.verb = "watch", .resource = k_pods, .purpose = "to see the pod of a job start and end"},
      {.verb = "patch",
       .resource = k_pods,
       .purpose = "to start the pod of a job with registry logins"},
      {.verb = "delete", .resource = k_pods, .purpose = "to remove the pod of a job"},
      {.verb = "create",
       .resource = k_pods,
       .subresource = "exec",
       .purpose = "to reach the agents (by servers from 1.35 on)"},
      {.verb = "get",
       .resource = k_pods,
       .subresource = "exec",
       .purpose = "to reach the agents (by servers before 1.35)"},
      {.verb = "get",
       .resource = k_pods,
       .subresource = "log",
       .purpose = "to show the last words of a container that did not start",
       .optional = true},
      {.verb = "create",
       .resource = k_secrets,
       .purpose = "to hand a job's registry logins to its pod"}};
  if (settings.agent_image.empty()) {
    rights.push_back({.verb = "get",
                      .resource = k_config_maps,
                      .purpose = "to see whether the agent's program is there"});
    rights.push_back(
        {.verb = "create", .resource = k_config_maps, .purpose = "to bring the agent's program"});
  }
  if (settings.print_pod_warning_events) {
    rights.push_back({.verb = "list",
                      .resource = k_events,
                      .purpose = "to tell why a pod ended",
                      .optional = true});
    rights.push_back({.verb = "watch",
                      .resource = k_events,
                      .purpose = "to tell why a pod waits, and to meet it the sooner",
                      .optional = true});
  }
  return rights;
}

Finding missing_right(const Right& right, const std::string& name_space,
                      const std::string& reason) {
  std::string text = fmt::format("may not {} {} in namespace '{}', {}", right.verb, right.object(),
                                 name_space, right.purpose);
  if (!reason.empty()) text += ": " + reason;
  return {.check = k_check,
          .health = right.optional ? Health::warning : Health::failed,
          .text = std::move(text),
          .remedy = fmt::format("add to the Role of this user: {{apiGroups: [\"{}\"], resources: "
                                "[\"{}\"], verbs: [\"{}\"]}}; runner-config/kubernetes/rbac.yaml "
                                "has all that is needed",
                                right.resource.group, right.object(), right.verb)};
}

std::vector<Finding> examine_rights(Client& client, const std::string& name_space,
                                    const std::vector<Right>& rights, std::stop_token stop) {
  std::vector<std::optional<Finding>> missing(rights.size());
  std::atomic<std::size_t> next{0};
  const auto ask = [&](const std::stop_token& token) {
    for (std::size_t i = next++; i < rights.size(); i = next++) {
      const Right& right = rights[i];
      const AccessAnswer answer = client.may({.name_space = name_space,
                                              .verb = right.verb,
                                              .resource = right.resource,
                                              .subresource = right.subresource},
                                             token);
      if (!answer.allowed) missing[i] = missing_right(right, name_space, answer.reason);
    }
  };
  try {
    sandbox::concurrently(std::vector<sandbox::Task>(std::min(k_askers, rights.size()), ask), stop);
  } catch (const support::Error& error) {
    return {{.check = k_check,
             .health = Health::failed,
             .text = fmt::format("cannot ask for the rights of this user: {}", error.what()),
             .remedy = error.hint()}};
  }
  std::vector<Finding> findings;
  for (auto& finding : missing) {
    if (finding) findings.push_back(std::move(*finding));
  }
  if (findings.empty()) {
    findings.push_back({.check = k_check,
                        .text = fmt::format("all {} that jobs need in namespace '{}'",
                                            rights.size(), name_space)});
  }
  return findings;
}

}  // namespace berth::kubernetes
