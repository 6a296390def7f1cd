#include "executor/docker/engine/engine.hpp"
#include "executor/docker/engine/engine_impl.hpp"
#include "executor/docker/engine/parse.hpp"

#include <nlohmann/json.hpp>

namespace berth::docker {
namespace {

std::string archive_target(const std::string& id, const std::string& path) {
  return "/containers/" + segment(id) + "/archive?path=" + net::percent_encode(path);
}

}  // namespace

void Engine::put_archive(const std::string& id, const std::string& directory, std::string tar,
                         std::stop_token stop) {
  m_impl->caller.call(
      {.name = "put files into container " + quoted(id) + " at " + quoted(directory),
       .request = {.method = "PUT",
                   .target = archive_target(id, directory),
                   .headers = {{"Content-Type", "application/x-tar"}},
                   .body = std::move(tar)},
       .repeat = Repeat::after_reset},
      stop);
}

std::optional<PathStat> Engine::stat_path(const std::string& id, const std::string& path,
                                          std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "look at " + quoted(path) + " in container " + quoted(id),
                           .request = {.method = "HEAD", .target = archive_target(id, path)},
                           .accept = {404}},
                          stop);
  if (answer.status == 404) return std::nullopt;
  return parse_path_stat(answer.response.header("X-Docker-Container-Path-Stat"));
}

std::optional<std::string> Engine::get_archive(const std::string& id, const std::string& path,
                                               std::size_t max_bytes, std::stop_token stop) {
  EngineCall call{.name = "get " + quoted(path) + " from container " + quoted(id),
                  .request = {.target = archive_target(id, path)},
                  .accept = {404}};
  call.request.max_body = max_bytes;
  EngineAnswer answer = m_impl->caller.call(std::move(call), stop);
  if (answer.status == 404) return std::nullopt;
  return std::move(answer.response.body);
}

std::string Engine::create_exec(const std::string& container, const ExecSpec& spec,
                                std::stop_token stop) {
  nlohmann::json body{{"Cmd", spec.cmd},
                      {"AttachStdin", spec.attach_stdin},
                      {"AttachStdout", true},
                      {"AttachStderr", true},
                      {"Tty", false}};
  if (!spec.user.empty()) body["User"] = spec.user;
  if (!spec.env.empty()) body["Env"] = spec.env;
  // An exec that was created twice and started once leaves nothing behind.
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "create exec in container " + quoted(container),
       .request = json_request("POST", "/containers/" + segment(container) + "/exec", body.dump()),
       .repeat = Repeat::after_reset},
      stop);
  return parse_id(answer.response.body);
}

std::unique_ptr<net::DuplexStream> Engine::start_exec(
    const std::string& exec, std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  return m_impl->caller.hijack({.name = "start exec",
                                .request = json_request("POST", "/exec/" + segment(exec) + "/start",
                                                        R"({"Detach":false,"Tty":false})"),
                                .repeat = Repeat::never},
                               deadline, stop);
}

ExecInfo Engine::inspect_exec(const std::string& exec, std::stop_token stop) {
  const EngineAnswer answer = m_impl->caller.call(
      {.name = "inspect exec", .request = {.target = "/exec/" + segment(exec) + "/json"}}, stop);
  return parse_exec(answer.response.body);
}

}  // namespace berth::docker
