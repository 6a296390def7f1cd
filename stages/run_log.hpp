#pragma once

#include "executor/agentlink/waiter.hpp"
#include "executor/core/backend.hpp"

#include <chrono>
#include <stop_token>

namespace berth::stages {

/// The script's output on its way to the runner: standard output, byte for byte.
/// write() returns when the bytes are in the pipe. Throws SystemError where the
/// log cannot be written (the runner has closed it), Cancelled where stop was
/// requested and the runner takes nothing for `patience`.
class JobLog final : public core::OutputSink {
 public:
  JobLog(int fd, std::stop_token stop,
         std::chrono::milliseconds patience = std::chrono::seconds(1));

  void write(std::string_view bytes) override;

 private:
  void wait_until_writable();

  int m_fd;
  std::size_t m_chunk;
  agentlink::StopSignal m_stop;
  std::chrono::milliseconds m_patience;
};

}  // namespace berth::stages
