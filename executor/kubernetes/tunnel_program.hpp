#pragma once

#include "executor/kubernetes/options.hpp"
#include "executor/kubernetes/tunnels.hpp"

#include <array>
#include <stop_token>
#include <string_view>

/// The other end of Tunnels: what berth-tunnel does.
namespace berth::kubernetes {

inline constexpr const char* k_agent_socket = "agent.sock";
inline constexpr const char* k_end_socket = "end.sock";
/// What follows the plan on standard input where the job was prepared.
inline constexpr std::string_view k_keep = "keep\n";

/// The descriptors that the program was started with.
inline constexpr int k_tunnel_helper_fd = 3;
inline constexpr int k_tunnel_build_fd = 4;
inline constexpr int k_tunnel_end_fd = 5;

/// Serves both agents' sockets until standard input ends without k_keep, somebody
/// connects to the socket at k_tunnel_end_fd, or both relays have ended. Throws
/// support::Error where the cluster's connection cannot even be read.
void serve_tunnels(const BackendOptions& options, const TunnelPlan& plan);

}  // namespace berth::kubernetes
