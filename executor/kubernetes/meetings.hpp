#pragma once

#include "executor/core/job_spec.hpp"

#include <array>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace berth::kubernetes {

/// Meets both agents of a pod, each in a thread of its own from the moment its container
/// is said to run. Thread-safe. The destructor ends what is under way and waits for it.
class Meetings {
 public:
  /// Returns when the agent was met; Cancelled and errors pass.
  using Meet = std::function<void(core::ContainerRole, const std::stop_token&)>;

  /// `on_end` is called once: both were met, or one could not be. On any thread.
  Meetings(Meet meet, std::function<void()> on_end);
  ~Meetings();
  Meetings(const Meetings&) = delete;
  Meetings& operator=(const Meetings&) = delete;

  /// Only the first time for a role.
  void begin(core::ContainerRole role);
  /// Both were met. Throws why one could not be.
  bool done() const;

 private:
  void run(core::ContainerRole role, const std::stop_token& stop);

  const Meet m_meet;
  const std::function<void()> m_on_end;
  mutable std::mutex m_mutex;
  int m_missing = 2;
  std::exception_ptr m_failure;
  std::array<std::jthread, 2> m_threads;
};

}  // namespace berth::kubernetes
