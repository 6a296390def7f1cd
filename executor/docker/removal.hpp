#pragma once

#include "executor/core/backend.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

/// Ends and removes what attempts made. Everything here may be done again, by
/// several processes at once, and counts what is not there as removed.
namespace berth::docker {

/// Objects of one attempt; ids or names.
struct AttemptObjects {
  std::vector<std::string> containers;
  std::vector<std::string> networks;
  std::vector<std::string> volumes;

  bool empty() const { return containers.empty() && networks.empty() && volumes.empty(); }
  std::size_t size() const { return containers.size() + networks.size() + volumes.size(); }
};

/// What carries all of the labels ("key=value").
AttemptObjects find_objects(Engine& engine, const LabelFilter& labels, std::stop_token stop);

/// The containers at once, then networks and volumes at once. One that cannot be
/// removed is reported and does not keep the others. Throws Cancelled, and what
/// says that the engine cannot be reached.
core::CleanupReport remove_objects(Engine& engine, const AttemptObjects& objects,
                                   std::stop_token stop);

/// Removes by labels until nothing was found twice in a row, `pause` apart: the
/// engine finishes requests of clients that have died meanwhile.
core::CleanupReport remove_by_labels(Engine& engine, const LabelFilter& labels,
                                     std::chrono::milliseconds pause, std::stop_token stop);

}  // namespace berth::docker
