#pragma once

#include "agent/protocol/messages.hpp"
#include "executor/core/exit_status.hpp"

#include <cstdint>
#include <stdexcept>

namespace berth::agentlink {

/// The agent said what the protocol does not allow at this point. what() names
/// the rule; it never quotes the agent's bytes.
class ProtocolViolation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What is known of one stage over all its connections, and the judge of what
/// the agent says about it. Pure; trusts nothing: a hostile job may pose as the
/// agent.
class StageProgress {
 public:
  /// delivered: bytes an earlier process has delivered.
  StageProgress(const protocol::StageId& id, std::uint64_t delivered)
      : m_id(id), m_delivered(delivered) {}

  /// Bytes the sink has taken: contiguous from the first.
  std::uint64_t delivered() const noexcept { return m_delivered; }
  /// Some connection has seen STARTED: the stage runs or has run.
  bool started() const noexcept { return m_started; }
  /// This connection has seen STARTED.
  bool answered() const noexcept { return m_answered; }

  /// A new connection (or a new ATTACH on this one) asks for what comes next.
  void connected() noexcept { m_answered = false; }
  /// The agent goes on exactly behind what was delivered: after ATTACH because
  /// it was asked to, after a START sent again because nothing was acknowledged
  /// before the first STARTED. Each throws ProtocolViolation.
  void on_started(const protocol::Started& started);
  /// The sink may have the bytes, if took() is called for all of them afterwards.
  void on_output(const protocol::Output& output) const;
  void took(std::size_t bytes) noexcept { m_delivered += bytes; }
  core::ExitStatus on_exit(const protocol::Exit& exit) const;

 private:
  protocol::StageId m_id;
  std::uint64_t m_delivered;
  bool m_started = false;
  bool m_answered = false;
};

}  // namespace berth::agentlink
