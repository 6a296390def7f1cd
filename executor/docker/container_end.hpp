#pragma once

#include "executor/docker/engine/engine.hpp"
#include "executor/sandbox/container_end.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace berth::docker {

using sandbox::ContainerEnd;

/// How a container that no longer runs came to its end, as the engine tells it;
/// nothing while it runs (or is about to).
std::optional<ContainerEnd> find_end(Engine& engine, const std::string& id, std::stop_token stop);

/// The last lines of a container's log, cut to what a job log can bear; empty
/// where it cannot be had: a report must not fail for want of its appendix.
std::string log_tail(Engine& engine, const std::string& id, std::stop_token stop);

}  // namespace berth::docker
