#include "executor/core/expand.hpp"
#include "executor/core/image_ref.hpp"
#include "executor/core/plan_parts.hpp"
#include "executor/core/service_compat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace berth::core {
namespace {

/// Letters, digits, `-`, `_` and inner dots: what can stand as a host's name.
bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '.' && name.back() != '.' &&
         name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

class Planner {
 public:
  Planner(JobSpec& spec, const Job& job, const Variables& expanded, const Policy& policy)
      : m_spec(spec), m_job(job), m_expanded(expanded), m_policy(policy) {}

  void add(ServiceSpec service, std::string_view declared_aliases,
           const std::vector<Variable>& variables, std::size_t number) {
    const std::string& image = service.container.image;
    set_privileges(service);
    std::vector<std::string> names = service_names(image);
    for (std::string& alias : split_aliases(declared_aliases)) names.push_back(std::move(alias));
    for (const std::string& name : names) {
      if (!is_host_name(name)) {
        note(number, image, fmt::format("alias '{}' is no host name and is left out", name));
      } else if (!m_taken.insert(name).second) {
        // The same name twice for one service is nothing to speak of.
        const auto& own = service.aliases;
        if (std::find(own.begin(), own.end(), name) == own.end()) {
          note(number, image, fmt::format("alias '{}' belongs to another service already", name));
        }
      } else {
        service.aliases.push_back(name);
      }
    }
    if (service.aliases.empty()) {
      note(number, image, "it is not started, as no name is left for it; give it an alias");
      return;
    }
    if (m_policy.service_compat) {
      service.added = core::service_compat(image, variables, m_job, m_expanded);
      for (const auto& [key, value] : service.added)
        note(number, image, fmt::format("is given {}={} (service_compat)", key, value));
    }
    m_spec.services.push_back(std::move(service));
  }

  /// It answers to the name clients look for, unless that is another service's.
  void add_spare_daemon(ServiceSpec service) {
    set_privileges(service);
    for (const char* name : {"docker", "berth-docker"}) {
      if (m_taken.insert(name).second) service.aliases.emplace_back(name);
    }
    m_spec.services.push_back(std::move(service));
  }

 private:
  /// gitlab-runner, executors/docker/docker.go: createHostConfigForService.
  void set_privileges(ServiceSpec& service) const {
    if (m_policy.services_privileged && !*m_policy.services_privileged) {
      service.unprivileged_by = "services_privileged";
    } else if (!m_policy.services_privileged && !m_policy.privileged) {
      service.unprivileged_by = "privileged";
    } else if (!is_allowed(service.container.image, m_policy.allowed_privileged_services)) {
      service.unprivileged_by = "allowed_privileged_services";
    }
    service.container.privileged = service.unprivileged_by.empty();
  }

  void note(std::size_t number, std::string_view image, std::string_view what) {
    m_spec.notes.push_back(fmt::format("service '{}' (services[{}]): {}", image, number, what));
  }

  JobSpec& m_spec;
  const Job& m_job;
  const Variables& m_expanded;
  const Policy& m_policy;
  std::set<std::string> m_taken;
};

}  // namespace

void plan_services(JobSpec& spec, const Job& job, const Variables& expanded, const Policy& policy) {
  // The settings' services come first, as in the built-in executor: in a clash
  // of names they win.
  Planner planner(spec, job, expanded, policy);
  std::vector<std::string> own;
  std::size_t number = 0;
  for (const DefaultService& service : policy.services) {
    const std::string image = expand(service.name, expanded);
    check_settings_image(image, policy.backend + ".services of berth.yaml");
    own.push_back(image);
    const auto index = static_cast<int>(number);
    planner.add({.container = {.image = image,
                               .entrypoint = service.entrypoint,
                               .command = service.command,
                               .pull_policies = effective_pull_policies(image, {}, policy),
                               .user = {},
                               .platform = {}},
                 .aliases = {},
                 .job_index = -1,
                 .settings_index = index},
                service.alias, service.variables, number++);
  }
  for (std::size_t i = 0; i < job.services.size(); ++i) {
    const Image& service = job.services[i];
    parse_image_ref(service.name);
    check_allowed(service.name, policy.allowed_services, own, "allowed_services");
    planner.add({.container = {.image = service.name,
                               .entrypoint = service.entrypoint,
                               .command = service.command,
                               .pull_policies = effective_pull_policies(
                                   service.name, service.pull_policy, policy),
                               .user = wanted_user(service, expanded, policy),
                               .platform = expand(service.docker_platform, expanded)},
                 .aliases = {},
                 .job_index = static_cast<int>(i),
                 .settings_index = -1},
                service.alias, service.variables, number++);
  }
  if (policy.docker_in_docker == DockerInDocker::always) {
    const std::string image = expand(policy.docker_in_docker_image, expanded);
    check_settings_image(image, policy.backend + ".docker_in_docker_image of berth.yaml");
    planner.add_spare_daemon(
        {.container = {.image = image, .pull_policies = effective_pull_policies(image, {}, policy)},
         .aliases = {},
         .spare_daemon = true});
  }
}

}  // namespace berth::core
