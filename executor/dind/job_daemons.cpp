#include "executor/dind/job_daemons.hpp"

#include <algorithm>
#include <utility>

namespace berth::dind {
namespace {

/// The settings' own one gives way to any that the job brings.
std::optional<std::size_t> spare_one(const std::vector<core::ServiceSpec>& services,
                                     const std::vector<ServiceFacts>& facts) {
  std::optional<std::size_t> spare;
  bool brought = false;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (services[i].spare_daemon) {
      spare = i;
    } else {
      brought = brought || is_daemon(facts[i]);
    }
  }
  return brought ? spare : std::nullopt;
}

}  // namespace

const JobDaemon* JobDaemons::find(std::size_t service) const {
  return service < services.size() && services[service] ? &*services[service] : nullptr;
}

bool JobDaemons::any() const {
  return std::any_of(services.begin(), services.end(),
                     [](const auto& one) { return one.has_value(); });
}

JobDaemons find_daemons(const std::vector<core::ServiceSpec>& services,
                        const std::vector<ServiceFacts>& facts, const core::Variables& expanded,
                        const NetworkNeeds& network) {
  JobDaemons found;
  found.services.resize(services.size());
  found.left_out = spare_one(services, facts);
  const std::string docker_host = expanded.get("DOCKER_HOST");
  bool first = true;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (i == found.left_out || !is_daemon(facts[i])) continue;
    JobDaemon& daemon = found.services[i].emplace();
    daemon.plan = plan_daemon(facts[i], docker_host, network);
    daemon.data_root = data_root(facts[i]);
    if (!std::exchange(first, false)) continue;
    const std::string name = name_of_daemon(services, i);
    const auto& aliases = services[i].aliases;
    if (std::find(aliases.begin(), aliases.end(), name) == aliases.end())
      daemon.further_alias = name;
    found.client = client_environment(daemon.plan, name, expanded);
    found.warning = mismatch(daemon.plan, services[i].container.image, docker_host);
  }
  return found;
}

}  // namespace berth::dind
