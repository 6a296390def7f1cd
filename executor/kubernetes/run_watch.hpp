#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "executor/kubernetes/pod_state.hpp"
#include "executor/support/console.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace berth::kubernetes {

/// Stages that take longer are worth a watch.
inline constexpr std::chrono::milliseconds k_short_stage{2000};

/// Looks after the pod while a stage's script runs, on a thread of its own: a
/// service that ends is a warning at once, and why the pod ended is remembered for
/// when it is gone. A stage that is over before `after` costs no request.
class RunWatch {
 public:
  RunWatch(Client& client, const core::JobSpec& spec, std::string name_space, std::string pod,
           std::string uid, support::Console& console, std::chrono::milliseconds after);

  /// The pod's last state that was seen; nothing where none was.
  std::optional<PodState> last() const;

 private:
  void follow(const std::stop_token& stop, std::chrono::milliseconds after);
  void note(const PodState& state, bool first);

  Client& m_client;
  const core::JobSpec& m_spec;
  const std::string m_name_space;
  const std::string m_pod;
  const std::string m_uid;
  support::Console& m_console;
  mutable std::mutex m_mutex;
  std::optional<PodState> m_last;
  std::jthread m_thread;  // last: it ends before what it uses
};

}  // namespace berth::kubernetes
