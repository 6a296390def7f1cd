#include "executor/docker/container_end.hpp"

namespace berth::docker {
std::string log_tail(Engine& engine, const std::string& id, std::stop_token stop) {
  try {
    return sandbox::trimmed_log(
        engine.container_logs(id, sandbox::k_log_lines, sandbox::k_log_bytes, stop));
  } catch (const support::Error&) {
    return {};
  }
}

std::optional<ContainerEnd> find_end(Engine& engine, const std::string& id, std::stop_token stop) {
  const auto info = engine.find_container(id, stop);
  if (!info) return ContainerEnd{};
  const ContainerState& state = info->state;
  const bool ended =
      state.status == "exited" || state.status == "dead" || state.status == "stopped";
  if (!ended) return std::nullopt;
  return ContainerEnd{.exists = true,
                      .started = !state.started_at.starts_with("0001-"),
                      .oom_killed = state.oom_killed,
                      .exit_code = state.exit_code,
                      .error = state.error,
                      .log = log_tail(engine, id, stop)};
}

}  // namespace berth::docker
