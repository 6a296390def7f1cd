#include "executor/docker/engine/engine.hpp"
#include "executor/docker/engine/engine_impl.hpp"
#include "executor/docker/engine/parse.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::docker {
namespace {

Removal removal_of(const EngineAnswer& answer) {
  if (answer.status == 404) return answer.maybe_done_before ? Removal::removed : Removal::absent;
  return Removal::removed;
}

}  // namespace

std::string Engine::create_network(const nlohmann::json& body, std::stop_token stop) {
  const std::string name = body.value("Name", "");
  EngineCall call{.name = "create network " + quoted(name),
                  .request = json_request("POST", "/networks/create", body.dump()),
                  .repeat = Repeat::after_reset};
  try {
    return parse_id(m_impl->caller.call(std::move(call), stop).response.body);
  } catch (const EngineError& error) {
    if (!error.conflict() || !error.repeated()) throw;
    // The reply to an earlier try was lost; the name carries the attempt.
    for (const NetworkInfo& network : list_networks({}, stop)) {
      if (network.name == name) return network.id;
    }
    throw;
  }
}

Removal Engine::remove_network(const std::string& id, std::stop_token stop) {
  return removal_of(
      m_impl->caller.call({.name = "remove network " + quoted(id),
                           .request = {.method = "DELETE", .target = "/networks/" + segment(id)},
                           .accept = {404}},
                          stop));
}

std::optional<NetworkInfo> Engine::find_network(const std::string& id, std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "inspect network " + quoted(id),
                           .request = {.target = "/networks/" + segment(id)},
                           .accept = {404}},
                          stop);
  if (answer.status == 404) return std::nullopt;
  return parse_network(answer.response.body);
}

std::vector<NetworkInfo> Engine::list_networks(const LabelFilter& labels, std::stop_token stop) {
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "list networks", .request = {.target = "/networks?" + label_query(labels)}}, stop);
  return parse_network_list(answer.response.body);
}

VolumeInfo Engine::create_volume(const nlohmann::json& body, std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "create volume " + quoted(body.value("Name", "")),
                           .request = json_request("POST", "/volumes/create", body.dump()),
                           .repeat = Repeat::after_reset},
                          stop);
  return parse_volume(answer.response.body);
}

Removal Engine::remove_volume(const std::string& name, std::stop_token stop) {
  return removal_of(
      m_impl->caller.call({.name = "remove volume " + quoted(name),
                           .request = {.method = "DELETE", .target = "/volumes/" + segment(name)},
                           .accept = {404}},
                          stop));
}

std::optional<VolumeInfo> Engine::find_volume(const std::string& name, std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "inspect volume " + quoted(name),
                           .request = {.target = "/volumes/" + segment(name)},
                           .accept = {404}},
                          stop);
  if (answer.status == 404) return std::nullopt;
  return parse_volume(answer.response.body);
}

std::vector<VolumeInfo> Engine::list_volumes(const LabelFilter& labels, std::stop_token stop) {
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "list volumes", .request = {.target = "/volumes?" + label_query(labels)}}, stop);
  return parse_volume_list(answer.response.body);
}

std::vector<VolumeInfo> Engine::list_unused_volumes(const LabelFilter& labels,
                                                    std::stop_token stop) {
  const nlohmann::json filters = {{"label", labels}, {"dangling", {"true"}}};
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "list unused volumes",
       .request = {.target = "/volumes?filters=" + net::percent_encode(filters.dump())}},
      stop);
  return parse_volume_list(answer.response.body);
}

}  // namespace berth::docker
