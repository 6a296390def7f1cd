#include "executor/app/backends.hpp"

#include "executor/docker/docker_backend.hpp"
#include "executor/gitlab/environment.hpp"
#include "executor/kubernetes/kubernetes_backend.hpp"
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

std::unique_ptr<core::Backend> make_backend(const std::string& name,
                                            const settings::Settings& settings) {
  if (name == "docker") {
    return docker::make_backend({.settings = settings.docker,
                                 .state_dir = settings.state_dir,
                                 .program_dir = sandbox::own_program_dir(),
                                 .home = environment("HOME"),
                                 .trace_file = environment("BERTH_TRACE"),
                                 .direct_sockets = environment("BERTH_TRANSPORT") != "exec"});
  }
  if (name == "kubernetes") {
    return kubernetes::make_backend({.settings = settings.kubernetes,
                                     .state_dir = settings.state_dir,
                                     .program_dir = sandbox::own_program_dir(),
                                     .home = environment("HOME"),
                                     .trace_file = environment("BERTH_TRACE"),
                                     .overwrites = kubernetes_overwrites()});
  }
  throw support::OperatorError(fmt::format("no such backend: '{}'", name),
                               "set `backend` to docker or kubernetes");
}

}  // namespace berth::app
