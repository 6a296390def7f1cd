// What a stage's session does with each message of the agent, and what it says.

#include "executor/agentlink/stage_session.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <variant>

namespace berth::agentlink {
namespace {

constexpr std::uint32_t k_read_tag = 1;
constexpr std::uint32_t k_write_tag = 2;
/// For an answer that needs no waiting; nothing but later stages' masks hangs on it.
constexpr std::chrono::seconds k_write_limit{5};

}  // namespace

using support::Cancelled;
using support::SystemError;

/// Takes up what the connection holds; true if there was a whole message.
bool StageSession::drain() {
  bool heard = false;
  while (!m_status || m_note == Note::writing) {
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
  m_progress.connected();
  const bool wanted = m_request.note != nullptr && m_request.note->wanted();
  if (!wanted || m_note == Note::read) return begin();
  m_note = Note::reading;
  m_connection->send(protocol::Get{k_read_tag, m_request.note->name()});
}

/// Starts the stage, or takes it up.
void StageSession::begin() {
  // START is safe to repeat at an agent that is known to be the same. A stage of
  // an earlier process may have been started without a byte of output; without
  // its agent's nonce, only ATTACH is sure not to start it again.
  const bool taken_up = m_request.resume && (*m_request.resume > 0 || !m_request.nonce);
  const bool attach = m_progress.started() || taken_up || (cancelling() && m_start_sent);
  if (attach)
    m_connection->send(protocol::Attach{m_request.start.id, m_progress.delivered()});
  else
    m_connection->send(m_note == Note::read ? m_start : m_request.start);
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

void StageSession::on(const protocol::FileReply& reply) {
  const bool reading = m_note == Note::reading && reply.tag == k_read_tag;
  const bool writing = m_note == Note::writing && reply.tag == k_write_tag;
  if (!reading && !writing) throw ProtocolViolation("a file came unasked");
  const std::string why =
      reply.error == 0 ? "" : support::errno_text(static_cast<int>(reply.error));
  if (writing) {
    if (!why.empty()) m_request.note->not_kept(why);
    m_note = Note::written;
    return;
  }
  // Without it secrets would be shown.
  if (!why.empty())
    throw SystemError("the agent has lost what it was to keep for the job's stages: " +
                      m_request.where + ": " + why);
  m_start = m_request.start;
  m_request.note->take(reply.bytes, m_start.script);
  m_note = Note::read;
  begin();
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

/// The stage's status is the result: true when its agent has what later stages need.
bool StageSession::note_settles() {
  if (m_request.note == nullptr || m_note == Note::written) return true;
  if (m_note == Note::writing) {
    if (!m_connection->closed() && m_waiter.now() < m_write_until) return false;
    m_request.note->not_kept("no answer");
    return true;
  }
  const auto changed = m_request.note->changed();
  if (!changed) return true;
  m_connection->send(protocol::Put{k_write_tag, m_request.note->name(), 0, protocol::k_keep_owner,
                                   protocol::k_keep_owner, std::string(changed->expose())});
  m_note = Note::writing;
  m_write_until = m_waiter.now() + k_write_limit;
  return false;
}

}  // namespace berth::agentlink
