#pragma once

#include "executor/kubernetes/pod_state.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

#include <string>

/// A pod's state as a real cluster wrote it: statuses/<name>.json.
inline berth::kubernetes::PodState recorded(const std::string& name) {
  const std::string path = std::string(BERTH_STATUSES) + "/" + name + ".json";
  return berth::kubernetes::parse_pod_state(
      berth::support::parse_json(berth::support::read_file(path, 1 << 20), path));
}
