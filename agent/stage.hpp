#pragma once

#include "agent/fd.hpp"
#include "agent/launch.hpp"
#include "agent/output_ring.hpp"
#include "agent/protocol/messages.hpp"

#include <optional>

namespace berth::agent {

/// One run of one stage: its shell's process, its output, how it ended.
///
/// It has *ended* with its shell. It is *complete* when all that stood in the
/// pipe at that moment is in the ring; what other processes write to the pipe
/// later belongs to nobody.
class Stage {
 public:
  Stage(const protocol::StageId& id, Launched launched);

  const protocol::StageId& id() const noexcept { return m_id; }
  pid_t pid() const noexcept { return m_pid; }
  OutputRing& ring() noexcept { return m_ring; }
  const OutputRing& ring() const noexcept { return m_ring; }
  bool ended() const noexcept { return m_exit.has_value(); }
  bool complete() const noexcept { return ended() && m_left == 0; }

  /// The pipe, to be polled for reading; -1 while there is nothing to read or
  /// nowhere to put it.
  int poll_fd() const noexcept;
  /// Moves bytes from the pipe into the ring, without blocking.
  void read_output();
  /// The shell has been waited for: its status as of waitpid(2).
  void end(int wait_status, std::uint32_t oom_kills);
  /// How it ended. Only when complete.
  protocol::Exit exit() const;
  /// The pipe of a complete stage, whose late writers still need a reader. Once.
  Fd take_pipe() noexcept { return std::move(m_pipe); }

 private:
  protocol::StageId m_id;
  pid_t m_pid;
  Fd m_pipe;
  OutputRing m_ring{protocol::k_output_window};
  std::optional<protocol::Exit> m_exit;
  /// After the end: bytes of the pipe that are still to be delivered.
  std::uint64_t m_left = 0;
};

}  // namespace berth::agent
