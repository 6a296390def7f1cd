#include "executor/docker/container_end.hpp"

#include <fmt/format.h>

namespace berth::docker {
namespace {

constexpr unsigned k_log_lines = 30;
constexpr std::size_t k_log_bytes = std::size_t{8} << 10;

}  // namespace

std::string log_tail(Engine& engine, const std::string& id, std::stop_token stop) {
  try {
    std::string text = engine.container_logs(id, k_log_lines, k_log_bytes, stop);
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    text.resize(last == std::string::npos ? 0 : last + 1);
    return text;
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

std::string explain(const ContainerEnd& end) {
  if (!end.exists) return "was removed by somebody else";
  std::string text = end.started ? fmt::format("ended with exit code {}", end.exit_code)
                                 : std::string("could not be started");
  if (end.oom_killed) text += ": out of memory";
  if (!end.error.empty()) text += ": " + end.error;
  return text;
}

std::string quote_log(const std::string& log) {
  if (log.empty()) return {};
  std::string text = "\nits last lines:";
  for (std::size_t start = 0; start < log.size();) {
    std::size_t end = std::min(log.find('\n', start), log.size());
    std::size_t cut = end;
    while (cut > start && log[cut - 1] == '\r') --cut;
    text += "\n  | " + log.substr(start, cut - start);
    start = end + 1;
  }
  return text;
}

}  // namespace berth::docker
