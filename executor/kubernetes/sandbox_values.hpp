#pragma once

#include <string_view>

/// Keys of Sandbox::values that the Kubernetes backend writes. `<role>.nonce` is
/// read by executor/agentlink too.
namespace berth::kubernetes {

inline constexpr std::string_view k_value_namespace = "namespace";
inline constexpr std::string_view k_value_pod_name = "pod.name";
inline constexpr std::string_view k_value_pod_uid = "pod.uid";
inline constexpr std::string_view k_value_helper_nonce = "helper.nonce";
inline constexpr std::string_view k_value_build_nonce = "build.nonce";
/// Sockets of tunnels.hpp; absent: there are none.
inline constexpr std::string_view k_value_helper_socket_dir = "helper.socket_dir";
inline constexpr std::string_view k_value_build_socket_dir = "build.socket_dir";
/// PATH of the helper's stages, where it is not the container's.
inline constexpr std::string_view k_value_helper_path = "helper.path";

}  // namespace berth::kubernetes
