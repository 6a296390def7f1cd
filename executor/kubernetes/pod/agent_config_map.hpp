#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// The immutable ConfigMap that brings the agent into pods: one per program and
/// architecture in a namespace, shared by all jobs there, kept when they end.
namespace berth::kubernetes {

/// What a ConfigMap holds at most, over all keys (Kubernetes, MaxSecretSize).
inline constexpr std::size_t k_config_map_limit = std::size_t{1024} * 1024;
inline constexpr std::string_view k_agent_key = "berth-agent";

/// berth-agent-<architecture>-<the first 12 digits of the program's SHA-256>
std::string agent_config_map_name(std::string_view program, std::string_view architecture);

/// Body of POST .../configmaps. Throws OperatorError where the program does not fit.
nlohmann::json agent_config_map(std::string_view program, std::string_view architecture);

/// Whether an object that has the name (the server's answer to GET, or to a POST
/// that met it) is that very map: immutable, with that program and nothing else.
/// Anyone who may create ConfigMaps in the namespace can take the name first.
bool is_agent_config_map(const nlohmann::json& object, std::string_view program,
                         std::string_view architecture);

}  // namespace berth::kubernetes
