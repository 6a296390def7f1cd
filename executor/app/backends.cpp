#include "executor/app/backends.hpp"

#include "executor/app/backend_options.hpp"
#include "executor/docker/docker_backend.hpp"
#include "executor/kubernetes/kubernetes_backend.hpp"

namespace berth::app {

std::unique_ptr<core::Backend> make_backend(const std::string& name,
                                            const settings::Settings& settings) {
  if (name == "docker") return docker::make_backend(docker_options(settings));
  if (name == "kubernetes") return kubernetes::make_backend(kubernetes_options(settings));
  refuse_backend(name);
}

}  // namespace berth::app
