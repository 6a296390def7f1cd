#pragma once

#include "executor/kubernetes/api/watch.hpp"
#include "executor/kubernetes/pod_state.hpp"

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace berth::kubernetes {

/// Follows the events about one pod, in a thread of its own. They tell of a container's
/// start when it starts; the pod's status, when the last of them has. Nobody promises
/// them: a missing right or a server that is away only end them.
class EventWatch {
 public:
  /// Called on the watch's thread; may come more than once for a container.
  using OnStarted = std::function<void(std::string_view container)>;

  /// `client` outlives it.
  EventWatch(Client& client, const std::string& name_space, const std::string& pod_uid,
             OnStarted on_started);

  /// In the order they last happened.
  std::vector<PodEvent> so_far() const;

 private:
  void follow(Client& client, const WatchQuery& query, const std::stop_token& stop);
  void take(const WatchEvent& event);

  const OnStarted m_on_started;
  mutable std::mutex m_mutex;
  /// Each with its object's name: an event that happens again stays one object.
  std::vector<std::pair<std::string, PodEvent>> m_events;
  std::jthread m_thread;  // last: it ends before what it uses
};

}  // namespace berth::kubernetes
