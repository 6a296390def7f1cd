#pragma once

#include "executor/docker/engine/objects.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The engine's JSON as values. Each throws support::SystemError naming the place
/// where the answer is not what the API promises; members Berth does not need
/// may be missing or null. Pure.
namespace berth::docker {

EngineVersion parse_version(std::string_view body);
EngineInfo parse_info(std::string_view body);
ImageInfo parse_image(std::string_view body);
ContainerInfo parse_container(std::string_view body);
std::vector<ContainerSummary> parse_container_list(std::string_view body);
NetworkInfo parse_network(std::string_view body);
std::vector<NetworkInfo> parse_network_list(std::string_view body);
VolumeInfo parse_volume(std::string_view body);
std::vector<VolumeInfo> parse_volume_list(std::string_view body);
ExecInfo parse_exec(std::string_view body);
/// {"Id"} of create container, create network and create exec.
std::string parse_id(std::string_view body);
/// {"StatusCode"} of wait.
int parse_wait(std::string_view body);
/// X-Docker-Container-Path-Stat: base64 of JSON.
PathStat parse_path_stat(std::string_view header);

}  // namespace berth::docker
