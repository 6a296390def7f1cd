#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/kubernetes/api/client.hpp"

#include <memory>
#include <string>
#include <vector>

namespace berth::kubernetes {

/// A container of a pod, and what reaches its agent.
struct ExecTarget {
  std::string name_space{};
  std::string pod{};
  std::string container{};
  /// The pod's uid; another pod of that name is `gone`. "": not checked.
  std::string uid{};
  std::string program = "/.berth/bin/berth-agent";
  /// "connect", or "tunnel" for a Stream of agent/protocol/tunnel.hpp.
  std::string argument = "connect";
  /// After it: of "dial" (agent/protocol/dial.hpp).
  std::vector<std::string> more{};
};

/// Reaches the agent by an exec of `<program> <argument>` over a WebSocket.
///
/// connect() makes one try, as a Transport does: it returns when the agent's first
/// bytes are here. When the exec fails, the pod's status is read once to tell
/// `gone` (pod or container has ended, with its reason in the words) from
/// `temporary`. 401 and 403 are support::OperatorError. `client` must outlive the
/// transport and its streams.
std::unique_ptr<agentlink::Transport> make_exec_transport(Client& client, ExecTarget target);

}  // namespace berth::kubernetes
