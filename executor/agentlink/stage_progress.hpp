#pragma once

#include "agent/protocol/messages.hpp"
#include "executor/core/exit_status.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

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
      : m_id(id), m_delivered(delivered), m_next(delivered) {}

  /// Bytes the sink has taken: contiguous from the first.
  std::uint64_t delivered() const noexcept { return m_delivered; }
  /// Some connection has seen STARTED: the stage runs or has run.
  bool started() const noexcept { return m_started; }
  /// This connection has seen STARTED.
  bool answered() const noexcept { return m_answered; }

  /// A new connection asks, from `delivered()` on where attaching, else from
  /// what the agent still holds.
  void connected(bool attaching);
  /// Each throws ProtocolViolation.
  void on_started(const protocol::Started& started);
  /// Returns the bytes not yet delivered (a view into the message); the caller
  /// hands them to the sink and then calls took().
  std::string_view on_output(const protocol::Output& output);
  void took(std::size_t bytes) noexcept { m_delivered += bytes; }
  core::ExitStatus on_exit(const protocol::Exit& exit) const;

 private:
  protocol::StageId m_id;
  std::uint64_t m_delivered;
  /// Offset the next OUTPUT of this connection must have.
  std::uint64_t m_next;
  bool m_started = false;
  bool m_answered = false;
  bool m_attaching = false;
};

}  // namespace berth::agentlink
