#pragma once

#include "executor/kubernetes/api/client.hpp"
#include "executor/kubernetes/known_maps.hpp"
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
  /// The program itself; empty with `agent_image`.
  std::string program{};
};

/// Asks nobody but this machine's files. Throws OperatorError where there is no
/// agent for the nodes' architecture.
AgentDelivery plan_agent(const settings::Kubernetes& settings,
                         const std::filesystem::path& program_dir);

/// Makes sure that the namespace has the ConfigMap of this very agent: one short GET
/// where it is there and `known` has it, else the whole of it. A pod may be made before it: the
/// kubelet waits for the map. But nothing that is the job's may be told to an agent before this has
/// returned. Throws OperatorError where something else stands under the map's name.
void deliver_agent(Client& client, const std::string& name_space, const AgentDelivery& agent,
                   const KnownMaps& known, std::stop_token stop);

}  // namespace berth::kubernetes
