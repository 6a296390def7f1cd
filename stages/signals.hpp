#pragma once

#include "executor/support/fd.hpp"

#include <stop_token>
#include <thread>

namespace berth::stages {

/// Turns SIGTERM, SIGINT and SIGHUP into a stop request. The runner signals the
/// whole process group, once. Blocks them for the life of the process; a program
/// exec'ed later finds unread ones pending.
class SignalWatch {
 public:
  /// Before any other thread is started. Throws SystemError.
  SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  std::stop_token token() const noexcept { return m_stop.get_token(); }
  /// Ends the watching: signals stay pending from now on. Idempotent.
  void release();

 private:
  void watch();

  std::stop_source m_stop;
  support::Fd m_signals;
  support::Fd m_wake;
  std::thread m_thread;
};

}  // namespace berth::stages
