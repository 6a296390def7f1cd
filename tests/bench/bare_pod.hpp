#pragma once

#include "executor/kubernetes/api/client.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace berth::bench {

/// Notes when the pods of a namespace came to run and when they went. Thread-safe.
class PodFollower {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  PodFollower(kubernetes::Client& client, std::string name_space);
  /// Ends the watch.
  ~PodFollower();
  PodFollower(const PodFollower&) = delete;
  PodFollower& operator=(const PodFollower&) = delete;

  struct Life {
    std::string name{};
    /// The pod as it was first seen.
    nlohmann::json object{};
    /// All of its containers run.
    std::optional<TimePoint> ready{};
    std::optional<TimePoint> gone{};
  };

  /// Both throw std::runtime_error after a minute.
  TimePoint await_ready(const std::string& name);
  /// All pods that were seen so far.
  void await_all_gone();
  /// The one that appeared last.
  Life last() const;

 private:
  void follow(const std::stop_token& stop);
  template <class Condition>
  void await(Condition&& condition, const std::string& what);

  kubernetes::Client& m_client;
  const std::string m_name_space;
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::map<std::string, Life> m_lives;
  std::string m_last;
  std::string m_trouble;
  std::jthread m_thread;
};

/// A manifest that makes the same pod again, from one that was made: what the
/// server or a controller added is taken away.
nlohmann::json manifest_like(const nlohmann::json& pod, const std::string& name);

/// Seconds that a pod takes to run by plain API calls: create it, see it run,
/// delete it. The last call's time counts, its effect is waited for afterwards.
double bare_pod_start(kubernetes::Client& client, PodFollower& follower,
                      const nlohmann::json& manifest);

}  // namespace berth::bench
