#pragma once

#include "executor/core/backend.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/kubernetes/pod_state.hpp"
#include "executor/settings/kubernetes.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// Ends and removes pods of attempts; what they own goes with them. Everything
/// here may be done again, by several processes at once; what is not there, or is
/// being deleted already, counts as removed.
namespace berth::kubernetes {

/// Of the DELETE: the settings' own, else nothing (the pod's) where the settings
/// give pods a grace period or hooks that need one, else one second. Not 0: then
/// the server forgets the pod before the node has ended it.
std::optional<std::int64_t> deletion_grace(const settings::Kubernetes& settings);

/// One pod. With a uid only that very pod.
core::CleanupReport remove_pod(Client& client, const std::string& name_space,
                               const std::string& name, const std::string& uid,
                               std::optional<std::int64_t> grace, std::stop_token stop);

/// What carries the labels, until nothing was found twice in a row, `pause` apart:
/// the server finishes requests of clients that have died meanwhile.
core::CleanupReport remove_by_labels(Client& client, const std::string& name_space,
                                     const std::string& selector, std::optional<std::int64_t> grace,
                                     std::chrono::milliseconds pause, std::stop_token stop);

/// Whether nobody will clean up after that attempt: its TMPDIR is gone (the runner
/// has removed it behind cleanup, or a reboot has), or all of its containers ended
/// more than a minute ago (agents end them when no driver was heard of for long), or
/// it never started and its start has been given up for long (berth.start-by).
/// Pure.
bool is_dead(const PodTrace& pod, std::int64_t now,
             const std::function<bool(const std::string&)>& directory_exists);

/// Removes dead attempts of the host, but never `own`. Returns how many pods went.
/// Failures are left to the next sweep; only Cancelled is thrown.
unsigned sweep(Client& client, const std::string& name_space, std::string_view host,
               std::string_view own, std::optional<std::int64_t> grace, std::int64_t now,
               std::stop_token stop);

}  // namespace berth::kubernetes
