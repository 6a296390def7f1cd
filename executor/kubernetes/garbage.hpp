#pragma once

#include "executor/core/upkeep.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/kubernetes/pod_state.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// `berth gc` on a cluster. Everything else of an attempt is owned by its pod, so that
/// the cluster removes it with the pod.
namespace berth::kubernetes {

/// Why nobody will clean up after the pod; "" where its job may be alive.
/// tmpdir_gone(host, tmpdir): whether that TMPDIR can be looked for from here, and is
/// gone. Pure.
std::string reason_to_remove(
    const PodTrace& pod, std::int64_t now,
    const std::function<bool(const std::string&, const std::string&)>& tmpdir_gone);

/// Pods of attempts of any host, in one namespace. Needs pods list and delete.
std::vector<core::Garbage> collect_pods(
    Client& client, const std::string& name_space, std::optional<std::int64_t> grace, bool dry_run,
    std::int64_t now,
    const std::function<bool(const std::string&, const std::string&)>& tmpdir_gone,
    std::stop_token stop);

}  // namespace berth::kubernetes
