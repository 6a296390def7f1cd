#pragma once

#include "executor/kubernetes/api/watch.hpp"
#include "executor/kubernetes/pod_state.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace berth::kubernetes {

/// Follows one pod: its state as of the last event. One thread at a time.
class PodWatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// From the server's answer to the pod's creation on.
  PodWatch(Client& client, const std::string& name_space, const nlohmann::json& created);
  /// From now on; state() is unknown (not gone) until the first next(), and for good
  /// where the pod is gone already.
  PodWatch(Client& client, const std::string& name_space, const std::string& name,
           const std::string& uid);

  /// Nothing once the pod is gone (or another of its name stands there).
  const std::optional<PodState>& state() const noexcept { return m_state; }
  /// The last state it had: what a pod that is gone now was ended for.
  const PodState& last() const noexcept { return m_last; }

  /// True: state() is newer than it was; false: the deadline has come. Takes all
  /// that is known already. Throws as watch() does.
  bool next(TimePoint deadline, const std::stop_token& stop);

 private:
  void take(const Watcher::Event& event);

  std::string m_uid;
  std::optional<PodState> m_state;
  PodState m_last;
  Watcher m_watcher;
};

}  // namespace berth::kubernetes
