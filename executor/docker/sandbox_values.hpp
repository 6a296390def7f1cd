#pragma once

#include <string_view>

/// Keys of Sandbox::values that the Docker backend writes. `<role>.*` of helper
/// and build are read by executor/agentlink too.
namespace berth::docker {

inline constexpr std::string_view k_value_helper_id = "helper.id";
inline constexpr std::string_view k_value_build_id = "build.id";
inline constexpr std::string_view k_value_helper_nonce = "helper.nonce";
inline constexpr std::string_view k_value_build_nonce = "build.nonce";
/// PATH of the helper's stages, where it is not the container's.
inline constexpr std::string_view k_value_helper_path = "helper.path";
/// Absent: the agents are reached through the engine.
inline constexpr std::string_view k_value_helper_socket_dir = "helper.socket_dir";
inline constexpr std::string_view k_value_build_socket_dir = "build.socket_dir";
/// The job's own network; absent where it uses the shared one.
inline constexpr std::string_view k_value_network_id = "network.id";
/// Present where the job's Docker daemons have certificates, in two volumes.
inline constexpr std::string_view k_value_daemon_certificates = "dind.certificates";
inline constexpr std::string_view k_value_state_dir = "state_dir";

}  // namespace berth::docker
