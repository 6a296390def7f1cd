#include "tests/contract/container_calls.hpp"

#include "tests/contract/engine_call.hpp"
#include "tests/contract/fake_images.hpp"
#include "tests/contract/fake_objects.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

namespace berth::tests {
namespace {

using nlohmann::json;

EngineReply inspect(const FakeContainers::State& state) {
  return reply(
      200,
      {{"Id", state.id},
       {"Name", "/" + state.name},
       {"State",
        {{"Status", state.running   ? "running"
                    : state.started ? "exited"
                                    : "created"},
         {"Running", state.running},
         {"OOMKilled", state.out_of_memory},
         {"ExitCode", state.exit_code},
         {"Error", ""}}},
       {"Config", state.config},
       {"NetworkSettings",
        {{"IPAddress", "127.0.0.1"}, {"Networks", {{"bridge", {{"IPAddress", "127.0.0.1"}}}}}}}});
}

}  // namespace

EngineReply ContainerCalls::answer(const EngineCall& call) {
  if (call.path.size() == 2 && call.at(1) == "create") return create(call);
  if (call.path.size() == 2 && call.at(1) == "json") return list(call);
  const auto state = m_containers.find(call.at(1));
  if (!state) return refuse(404, "No such container: " + call.at(1));
  if (call.method == "DELETE") {
    m_containers.remove(state->id);
    return reply(204, {});
  }
  const std::string verb = call.at(2);
  if (verb == "start") return start(*state);
  if (verb == "kill" || verb == "stop") {
    if (!state->running) return refuse(409, "Container " + state->id + " is not running");
    m_containers.kill(state->id);
    return reply(204, {});
  }
  if (verb == "wait") return wait(state->id);
  if (verb == "logs") return {.body = state->log.empty() ? "" : stream_frame(2, state->log)};
  if (verb == "archive") return archive(call.method);
  if (verb == "exec") return create_exec(state->id);
  if (verb == "json") return inspect(*state);
  return refuse(404, "page not found");
}

EngineReply ContainerCalls::answer_exec(const EngineCall& call) const {
  if (call.path.size() != 3 || call.at(2) != "json") return refuse(404, "page not found");
  return reply(200, {{"Running", false}, {"ExitCode", 0}});
}

std::string ContainerCalls::container_of_exec(const std::string& exec) {
  const std::lock_guard lock(m_mutex);
  const auto found = m_execs.find(exec);
  return found == m_execs.end() ? "" : found->second;
}

void ContainerCalls::stop() {
  const std::lock_guard lock(m_mutex);
  m_stopping = true;
  m_wake.notify_all();
}

EngineReply ContainerCalls::create(const EngineCall& call) {
  json config = json::parse(call.body);
  const auto wanted = call.query.find("name");
  const std::string name = wanted == call.query.end() ? "" : wanted->second;
  const std::string image = config.value("Image", "");
  if (!m_images.find(image)) return refuse(404, "No such image: " + image);
  for (const json& mount : config["HostConfig"].value("Mounts", json::array())) {
    if (mount.value("Type", "") == "bind") {
      const std::string source = mount.value("Source", "");
      if (!m_local || !std::filesystem::exists(source)) {
        return refuse(
            400,
            "invalid mount config for type \"bind\": bind source path does not exist: " + source);
      }
    } else if (mount.value("Type", "") == "volume" && mount.contains("Source")) {
      m_volumes.add(mount["Source"],
                    mount.value("VolumeOptions", json::object()).value("Labels", json::object()));
    }
  }
  const auto id = m_containers.create(name, std::move(config));
  if (!id) return refuse(409, "Conflict. The container name \"/" + name + "\" is already in use");
  return reply(201, {{"Id", *id}, {"Warnings", json::array()}});
}

EngineReply ContainerCalls::start(const FakeContainers::State& state) {
  const auto image = m_images.find(state.config.value("Image", ""));
  const bool ran = m_containers.start(state.id, image ? image->exits_at_once : std::nullopt,
                                      image ? image->log : "");
  return reply(ran ? 304 : 204, {});
}

EngineReply ContainerCalls::wait(const std::string& id) {
  for (;;) {
    const auto state = m_containers.find(id);
    if (!state || !state->running) {
      return reply(200, {{"StatusCode", state ? state->exit_code : 0}});
    }
    std::unique_lock lock(m_mutex);
    // Nothing tells of a process's end.
    if (m_wake.wait_for(lock, std::chrono::milliseconds(20), [this] { return m_stopping; })) {
      return refuse(500, "the engine stops");
    }
  }
}

EngineReply ContainerCalls::list(const EngineCall& call) {
  const json filters = call.filters();
  json result = json::array();
  for (const FakeContainers::State& state : m_containers.all()) {
    const json labels = state.config.value("Labels", json::object());
    if (!labels_match(labels, filters)) continue;
    result.push_back({{"Id", state.id},
                      {"Names", {"/" + state.name}},
                      {"Labels", labels},
                      {"State", state.running ? "running" : "exited"}});
  }
  return reply(200, result);
}

/// The archive calls serve only for the agent's volume: its marker is there once
/// something has been put.
EngineReply ContainerCalls::archive(const std::string& method) {
  const std::lock_guard lock(m_mutex);
  if (method == "PUT") {
    m_archive_put = true;
    return reply(200, {});
  }
  if (!m_archive_put) return refuse(404, "Could not find the file in container");
  EngineReply result = reply(200, {});
  result.headers["X-Docker-Container-Path-Stat"] = "e30=";
  return result;
}

EngineReply ContainerCalls::create_exec(const std::string& container) {
  const std::lock_guard lock(m_mutex);
  const std::string id = fmt::format("{:064x}", 0xe4ec0000u + m_execs.size());
  m_execs[id] = container;
  return reply(201, {{"Id", id}});
}

}  // namespace berth::tests
