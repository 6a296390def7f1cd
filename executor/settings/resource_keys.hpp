#pragma once

#include "executor/settings/kubernetes.hpp"

#include <string>
#include <vector>

namespace berth::settings {

/// One of the keys `[helper_|service_|pod_](cpu|memory|ephemeral_storage)_(limit|request)`.
struct ResourceKey {
  /// "helper_cpu_limit"; its companion is key + "_overwrite_max_allowed".
  std::string key{};
  /// The job's variable: "KUBERNETES_HELPER_CPU_LIMIT".
  std::string variable{};
  Resources Kubernetes::*container = nullptr;
  bool limit = false;
  std::string Amounts::*amount = nullptr;

  std::string& value(Resources& resources) const {
    return (limit ? resources.limits : resources.requests).*amount;
  }
  std::string& maximum(Resources& resources) const {
    return (limit ? resources.max_limits : resources.max_requests).*amount;
  }
  const std::string& maximum(const Resources& resources) const {
    return (limit ? resources.max_limits : resources.max_requests).*amount;
  }
};

/// All 22 of them.
const std::vector<ResourceKey>& resource_keys();

}  // namespace berth::settings
