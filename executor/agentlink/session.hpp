#pragma once

#include "agent/protocol/messages.hpp"
#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/core/backend.hpp"
#include "executor/core/exit_status.hpp"
#include "executor/support/error.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace berth::agentlink {

using Nonce = std::array<std::uint8_t, 16>;

/// A fresh random id.
protocol::StageId make_stage_id();

/// One stage to run, or to take up again.
struct StageRequest {
  /// id, script, umask, shells, environment.
  protocol::Start start;
  /// Set: the stage was started by another process, which delivered the bytes
  /// below this offset; it is attached to, never started.
  std::optional<std::uint64_t> resume;
  /// The agent that prepare met. Another nonce means that the container was
  /// replaced. Empty: the first HELLO of this session decides.
  std::optional<Nonce> nonce;
  /// Read before the stage is started, and changed when it has ended. Null: none.
  core::StageNote* note = nullptr;
  /// Names the container in messages: "build container 'berth-7-…-build' of image 'x'".
  std::string where;
};

struct SessionLimits {
  /// How long the agent may be out of reach, from the loss of a connection to
  /// the next HELLO and answer.
  std::chrono::milliseconds connection_timeout{std::chrono::minutes(5)};
  /// Not a byte for this long: the connection is dead.
  std::chrono::milliseconds silence{std::chrono::seconds(3 * protocol::k_ping_interval)};
  /// On cancel: between TERM and KILL.
  std::chrono::milliseconds grace{std::chrono::seconds(10)};
  /// On cancel: after KILL until the last output and EXIT are here.
  std::chrono::milliseconds kill_wait{std::chrono::seconds(5)};
  /// A stage that lasts longer is left to another program: AgentLost{absent}. Not
  /// while it is cancelled. Nothing: never.
  std::optional<std::chrono::milliseconds> leave_after{};
};

/// The agent is out of reach for good: nobody listens, or the connection timeout
/// has passed. Says where the stage can be taken up by another way, or what the
/// caller must ask the engine about. Left alone it is a system failure.
class AgentLost : public support::SystemError {
 public:
  AgentLost(const std::string& message, ConnectFailure kind, bool start_sent,
            std::uint64_t delivered)
      : SystemError(message), m_kind(kind), m_start_sent(start_sent), m_delivered(delivered) {}

  /// absent, gone, or temporary (timeout).
  ConnectFailure kind() const noexcept { return m_kind; }
  /// The stage may have been started: take it up with `resume`, never START anew.
  bool start_sent() const noexcept { return m_start_sent; }
  /// Bytes the sink has taken: the offset to resume at.
  std::uint64_t delivered() const noexcept { return m_delivered; }

 private:
  ConnectFailure m_kind;
  bool m_start_sent;
  std::uint64_t m_delivered;
};

/// Runs one stage: starts it once, hands each byte of its output to the sink
/// once and in order, through as many connections as it takes, and returns how
/// its shell ended. Bytes are acknowledged only when the sink has returned.
///
/// Stop requested: TERM to every process of the container, after `grace` KILL,
/// the output written so far is delivered, then support::Cancelled; the same at
/// once where the agent cannot be reached.
///
/// Throws AgentLost; support::JobError where the image has no shell;
/// support::SystemError where the container was replaced, the agent refuses or
/// breaks the protocol (a hostile job may pose as one); what the sink throws
/// (the stage's processes go on: the containers end with the job).
/// Lack of evidence is never a success.
core::ExitStatus run_stage(Transport& transport, const StageRequest& request,
                           core::OutputSink& output, const SessionLimits& limits,
                           std::stop_token stop, Waiter& waiter = system_waiter());

}  // namespace berth::agentlink
