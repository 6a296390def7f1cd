#include "executor/app/backends.hpp"

#include "executor/docker/docker_backend.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace berth::app {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
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
  throw support::OperatorError(fmt::format("no such backend: '{}'", name),
                               "set `backend` to docker");
}

}  // namespace berth::app
