#include "executor/app/backend_options.hpp"

#include "executor/gitlab/environment.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace berth::app {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The job's words about where and as whom its pod is made: each stage has them
/// in its own environment, so none has to be kept.
core::Variables kubernetes_overwrites() {
  core::Variables overwrites;
  for (const auto& [key, value] : gitlab::read_environment(::environ).variables) {
    if (key.starts_with("KUBERNETES_")) overwrites.set({.key = key, .value = value});
  }
  return overwrites;
}

}  // namespace

docker::BackendOptions docker_options(const settings::Settings& settings) {
  return {.settings = settings.docker,
          .state_dir = settings.state_dir,
          .program_dir = sandbox::own_program_dir(),
          .home = environment("HOME"),
          .trace_file = environment("BERTH_TRACE"),
          .direct_sockets = environment("BERTH_TRANSPORT") != "exec"};
}

kubernetes::BackendOptions kubernetes_options(const settings::Settings& settings) {
  return {.settings = settings.kubernetes,
          .state_dir = settings.state_dir,
          .program_dir = sandbox::own_program_dir(),
          .home = environment("HOME"),
          .settings_file = settings.file,
          .tunnels = environment("BERTH_TRANSPORT") != "exec",
          .trace_file = environment("BERTH_TRACE"),
          .overwrites = kubernetes_overwrites()};
}

void refuse_backend(const std::string& name) {
  throw support::OperatorError(fmt::format("no such backend: '{}'", name),
                               "set `backend` to docker or kubernetes");
}

}  // namespace berth::app
