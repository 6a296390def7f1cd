#pragma once

#include "executor/kubernetes/api/client.hpp"
#include "executor/settings/kubernetes.hpp"

#include <filesystem>
#include <stop_token>
#include <string>

namespace berth::kubernetes {

/// How a pod comes by its agent.
struct AgentDelivery {
  /// kubernetes.io/arch the program is for; empty with `agent_image`.
  std::string architecture{};
  /// Empty with `agent_image`.
  std::string config_map{};
};

/// Makes sure that the namespace has the ConfigMap of this very agent: one GET
/// where it is there. Throws OperatorError where there is no agent for the nodes'
/// architecture, or something else stands under the map's name.
AgentDelivery ensure_agent(Client& client, const std::string& name_space,
                           const settings::Kubernetes& settings,
                           const std::filesystem::path& program_dir, std::stop_token stop);

}  // namespace berth::kubernetes
