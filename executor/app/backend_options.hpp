#pragma once

#include "executor/docker/options.hpp"
#include "executor/kubernetes/options.hpp"
#include "executor/settings/settings.hpp"

#include <string>

/// What both backends are told, from settings and this process's environment.
namespace berth::app {

docker::BackendOptions docker_options(const settings::Settings& settings);
kubernetes::BackendOptions kubernetes_options(const settings::Settings& settings);

/// For a name in `backend` that is none.
[[noreturn]] void refuse_backend(const std::string& name);

}  // namespace berth::app
