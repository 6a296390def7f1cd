#include "executor/app/upkeep.hpp"

#include "executor/app/backend_options.hpp"
#include "executor/docker/docker_upkeep.hpp"
#include "executor/kubernetes/kubernetes_upkeep.hpp"

namespace berth::app {

std::unique_ptr<core::Upkeep> make_upkeep(const settings::Settings& settings,
                                          support::Console& console) {
  const std::string& name = settings.policy.backend;
  if (name == "docker") {
    return docker::make_upkeep(docker_options(settings), settings.policy.helper_image);
  }
  if (name == "kubernetes") {
    return kubernetes::make_upkeep(kubernetes_options(settings), console);
  }
  refuse_backend(name);
}

}  // namespace berth::app
