#include "executor/docker/engine/engine.hpp"
#include "executor/docker/engine/engine_impl.hpp"
#include "executor/docker/engine/parse.hpp"
#include "executor/docker/engine/stream_demux.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::docker {
namespace {

std::string container_path(const std::string& id) {
  return "/containers/" + segment(id);
}

/// Every label of the request stands on the object: we made it.
bool carries_labels(const std::map<std::string, std::string>& labels, const nlohmann::json& body) {
  const auto wanted = body.find("Labels");
  if (wanted == body.end() || !wanted->is_object() || wanted->empty()) return false;
  return std::ranges::all_of(wanted->items(), [&](const auto& item) {
    const auto found = labels.find(item.key());
    return found != labels.end() && item.value() == found->second;
  });
}

}  // namespace

std::string Engine::create_container(const std::string& name, const nlohmann::json& body,
                                     const std::string& platform, std::stop_token stop) {
  std::string target = "/containers/create?name=" + net::percent_encode(name);
  if (!platform.empty()) target += "&platform=" + net::percent_encode(platform);
  EngineCall call{.name = "create container " + quoted(name),
                  .request = json_request("POST", target, body.dump()),
                  .repeat = Repeat::after_reset};
  try {
    const EngineAnswer answer = m_impl->caller.call(std::move(call), stop);
    return parse_id(answer.response.body);
  } catch (const EngineError& error) {
    if (!error.conflict() || !error.repeated()) throw;
    const auto existing = find_container(name, stop);
    if (!existing || !carries_labels(existing->labels, body)) throw;
    return existing->id;
  }
}

bool Engine::start_container(const std::string& id, std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "start container " + quoted(id),
                           .request = {.method = "POST", .target = container_path(id) + "/start"},
                           .repeat = Repeat::after_reset,
                           .accept = {304}},
                          stop);
  return answer.status != 304;
}

bool Engine::kill_container(const std::string& id, const std::string& signal,
                            std::stop_token stop) {
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "kill container " + quoted(id),
       .request = {.method = "POST",
                   .target = container_path(id) + "/kill?signal=" + net::percent_encode(signal)},
       .repeat = Repeat::after_reset,
       .accept = {404, 409}},
      stop);
  return answer.status < 300;
}

Removal Engine::remove_container(const std::string& id, std::stop_token stop) {
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "remove container " + quoted(id),
       .request = {.method = "DELETE", .target = container_path(id) + "?force=1&v=1"},
       .accept = {404, 409}},
      stop);
  if (answer.status == 404) return answer.maybe_done_before ? Removal::removed : Removal::absent;
  // "removal of container ... is already in progress"
  return answer.status == 409 ? Removal::in_progress : Removal::removed;
}

std::optional<ContainerInfo> Engine::find_container(const std::string& id, std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "inspect container " + quoted(id),
                           .request = {.target = container_path(id) + "/json"},
                           .accept = {404}},
                          stop);
  if (answer.status == 404) return std::nullopt;
  return parse_container(answer.response.body);
}

std::vector<ContainerSummary> Engine::list_containers(const LabelFilter& labels,
                                                      std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "list containers",
                           .request = {.target = "/containers/json?all=1&" + label_query(labels)}},
                          stop);
  return parse_container_list(answer.response.body);
}

std::string Engine::container_logs(const std::string& id, unsigned tail, std::size_t max_bytes,
                                   std::stop_token stop) {
  std::string tailed;
  // Framing adds 8 bytes to each write; lines can be long: keep a window of the end.
  const std::size_t window = 4 * max_bytes + 65536;
  StreamDemux demux;
  bool raw = false;
  net::HttpRequest request{.target = container_path(id) +
                                     "/logs?stdout=1&stderr=1&tail=" + std::to_string(tail)};
  request.on_body = [&](std::string_view bytes) {
    if (raw) {
      tailed.append(bytes);
    } else {
      try {
        demux.feed(bytes, [&](OutputStream, std::string_view piece) { tailed.append(piece); });
      } catch (const DemuxError&) {  // a container with a terminal: no frames
        raw = true;
        tailed.append(bytes);
      }
    }
    if (tailed.size() > window) tailed.erase(0, tailed.size() - window / 2);
    return true;
  };
  m_impl->caller.call({.name = "log of container " + quoted(id),
                       .request = std::move(request),
                       .repeat = Repeat::never},
                      stop);
  if (tailed.size() > max_bytes) tailed.erase(0, tailed.size() - max_bytes);
  return tailed;
}

int Engine::wait_container(const std::string& id, std::stop_token stop) {
  EngineCall call{.name = "wait for container " + quoted(id),
                  .request = {.method = "POST", .target = container_path(id) + "/wait"},
                  .repeat = Repeat::after_reset};
  call.request.silence_timeout = std::chrono::seconds(0);
  return parse_wait(m_impl->caller.call(std::move(call), stop).response.body);
}

}  // namespace berth::docker
