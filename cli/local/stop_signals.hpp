#pragma once

#include "executor/support/fd.hpp"

#include <functional>
#include <thread>

namespace berth::local {

/// Takes SIGINT, SIGTERM and SIGHUP of this process to a thread of its own, for as
/// long as it lives, and has SIGPIPE ignored from then on. Make it before any other thread, so that
/// all inherit the mask. The jobs' programs run in process groups of their own: a terminal's Ctrl-C
/// reaches this process alone.
class StopSignals {
 public:
  /// `on_signal` gets the count of signals so far.
  explicit StopSignals(std::function<void(int)> on_signal);
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

 private:
  support::Fd m_signals;
  support::Fd m_end;
  std::thread m_thread;
};

}  // namespace berth::local
