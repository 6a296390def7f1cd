// What a stage's session does with each message of the agent, and what it says.

#include "executor/agentlink/stage_session.hpp"

#include <fmt/format.h>

#include <variant>

namespace berth::agentlink {

using support::Cancelled;
using support::SystemError;

/// Takes up what the connection holds; true if there was a whole message.
bool StageSession::drain() {
  bool heard = false;
  while (!m_status) {
    const auto message = m_connection->next();
    if (!message) break;
    heard = true;
    if (!m_greeted && !std::holds_alternative<protocol::Hello>(*message))
      throw ProtocolViolation("the first frame is not HELLO");
    std::visit([this](const auto& it) { on(it); }, *message);
  }
  return heard;
}

void StageSession::on(const protocol::Hello& hello) {
  if (m_greeted) throw ProtocolViolation("HELLO came twice");
  if (hello.version != protocol::k_version)
    throw SystemError(fmt::format("the agent speaks version {} of its protocol, this driver {}: {}",
                                  hello.version, protocol::k_version, m_request.where),
                      "Berth was updated while the job ran; retry the job");
  if (m_nonce && hello.nonce != *m_nonce)
    throw SystemError("the container was replaced or restarted while the job ran: " +
                      m_request.where);
  m_nonce = hello.nonce;
  m_greeted = true;

  // START is safe to repeat at an agent that is known to be the same. A stage of
  // an earlier process may have been started without a byte of output; without
  // its agent's nonce, only ATTACH is sure not to start it again.
  const bool taken_up = m_request.resume && (*m_request.resume > 0 || !m_request.nonce);
  const bool attach = m_progress.started() || taken_up || (cancelling() && m_start_sent);
  m_progress.connected();
  if (attach)
    m_connection->send(protocol::Attach{m_request.start.id, m_progress.delivered()});
  else
    m_connection->send(m_request.start);
  m_start_sent = true;
  m_acknowledged = 0;
  if (cancelling()) signal(m_cancel.signal());
}

void StageSession::on(const protocol::Started& started) {
  m_progress.on_started(started);
  m_outage_since.reset();
  m_attempt = 1;  // the next reconnect pauses, so that a flapping link does not spin
}

void StageSession::on(const protocol::Output& output) {
  m_progress.on_output(output);
  try {
    if (!m_discard) m_output.write(output.bytes);
  } catch (...) {
    // The log takes no more, but the job's processes still have to be ended.
    if (!cancelling() && !m_stop.requested()) throw;
    m_discard = true;
  }
  m_progress.took(output.bytes.size());
}

void StageSession::on(const protocol::Exit& exit) {
  m_status = m_progress.on_exit(exit);
}

void StageSession::on(const protocol::Ping&) {
  // A peer that does not read must not make us hold answers without end.
  if (m_connection->idle()) m_connection->send(protocol::Pong{});
}

void StageSession::acknowledge() {
  if (!m_progress.answered() || m_progress.delivered() == m_acknowledged) return;
  if (!m_connection->idle()) return;
  m_acknowledged = m_progress.delivered();
  m_connection->send(protocol::Ack{m_acknowledged});
}

/// Begins the cancel when stop is requested and moves it on with time.
void StageSession::tend_cancel() {
  if (!m_start_sent && m_stop.requested()) throw Cancelled();
  if (const auto number = m_cancel.advance(m_stop.requested(), m_waiter.now())) signal(*number);
}

/// Where the connection has not been greeted yet, the greeting sends it.
void StageSession::signal(std::uint8_t number) {
  if (m_connection && m_greeted) m_connection->send(protocol::Signal{number});
}

/// EXIT is here: true if the stage's status is the result. When the stage was
/// cancelled what it left behind is killed at once, as it is when the first
/// process of a container ends; the EXIT that answers ATTACH then tells that the
/// agent has done so.
bool StageSession::exit_settles() {
  if (m_discard) tend_cancel();
  if (!cancelling()) return true;
  if (m_cancel.killing()) throw Cancelled();
  m_status.reset();
  signal(m_cancel.kill(m_waiter.now()));
  m_progress.connected();
  m_connection->send(protocol::Attach{m_request.start.id, m_progress.delivered()});
  return false;
}

}  // namespace berth::agentlink
