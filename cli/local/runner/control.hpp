#pragma once

#include "executor/support/fd.hpp"

#include <chrono>
#include <mutex>
#include <string_view>
#include <vector>

namespace berth::local::runner {

using TimePoint = std::chrono::steady_clock::time_point;

/// Why something must stop.
enum class Stop {
  none,
  canceled,         ///< the whole job
  aborted,          ///< the server dropped the job: as canceled
  interrupted,      ///< the runner itself is asked to end
  job_timeout,      ///< runner_info.timeout
  prepare_timeout,  ///< prepare_timeout of the runner
  get_sources_timeout,
  program_timeout,  ///< config_exec_timeout and its like
  script_canceled,  ///< a cancel while the user's script runs
  script_timeout,   ///< RUNNER_SCRIPT_TIMEOUT
  after_script_timeout,
};

/// What bounds a piece of work, as the runner's nested contexts do: deadlines,
/// and whether a cancel of the script alone reaches it. A value.
struct Scope {
  struct Deadline {
    TimePoint at;
    Stop reason = Stop::none;
  };
  std::vector<Deadline> deadlines;
  bool is_script = false;
  /// False for cleanup, which nothing but its own deadline stops.
  bool obeys_job = true;
  bool obeys_interrupt = false;

  Scope until(TimePoint at, Stop reason) const {
    Scope narrower = *this;
    narrower.deadlines.push_back({at, reason});
    return narrower;
  }
};

/// Tells a running job to stop. Any thread may call the verbs; the job's thread
/// polls `wake_fd`.
class Control {
 public:
  /// Throws support::SystemError when the machine has no descriptors left.
  Control();

  /// As a click on "Cancel": before and after the user's script the whole job,
  /// while it runs the script alone, so that after_script and uploads follow.
  void cancel();
  /// The server no longer knows the job: everything stops, no after_script.
  void abort();
  /// SIGTERM to the runner.
  void interrupt();

  /// True once cancel() or abort() was called.
  bool cancel_requested() const;

  /// For the job's thread: from here on cancel() means the script.
  void scripts_begin();
  /// The first reason that holds for the scope.
  Stop check(const Scope& scope, TimePoint now) const;
  /// Readable when a verb was called since the last acknowledge(); both are for
  /// the job's thread, which asks check() after it.
  int wake_fd() const noexcept { return m_wake.get(); }
  void acknowledge() const;
  /// Sleeps until `until`, or until check() has something for the scope.
  Stop wait_until(const Scope& scope, TimePoint until) const;

 private:
  void request(bool& flag);

  mutable std::mutex m_mutex;
  support::Fd m_wake;
  bool m_in_scripts = false;
  bool m_job_canceled = false;
  bool m_script_canceled = false;
  bool m_aborted = false;
  bool m_interrupted = false;
};

}  // namespace berth::local::runner
