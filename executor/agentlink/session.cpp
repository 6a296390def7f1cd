// The life of a stage's connections: made, lost, made again, given up.

#include "executor/agentlink/session.hpp"

#include "executor/agentlink/stage_session.hpp"
#include "executor/support/files.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/random.h>

namespace berth::agentlink {
namespace {

using support::Cancelled;
using support::SystemError;

/// A stage's frames are small: OUTPUT is the largest, HELLO and REFUSED carry text.
constexpr std::size_t k_max_payload = protocol::k_max_output_chunk + (64u << 10);

}  // namespace

core::ExitStatus StageSession::run() {
  try {
    for (;;) {
      open();
      if (const auto status = serve()) return *status;
    }
  } catch (const support::Error&) {
    // Whatever went wrong while the stage was being ended, it was cancelled.
    if (cancelling()) throw Cancelled();
    throw;
  }
}

/// Makes m_connection, however many attempts it takes.
void StageSession::open() {
  m_connection.reset();
  m_greeted = false;
  for (;; ++m_attempt) {
    tend_cancel();
    if (m_attempt > 0) pause();
    tend_cancel();
    if (m_waiter.now() >= out_of_reach_at()) throw lost(ConnectFailure::temporary, m_last_words);
    try {
      // One attempt may hang no longer than a connection may be silent. A stop
      // that has been seen must not keep the signal from being sent.
      const TimePoint deadline = std::min(m_waiter.now() + m_limits.silence, out_of_reach_at());
      auto stream =
          m_transport.connect(deadline, cancelling() ? std::stop_token() : m_stop.token());
      const bool note = m_request.note != nullptr && m_request.note->wanted();
      m_connection = std::make_unique<Connection>(
          std::move(stream), note ? protocol::k_max_agent_payload : k_max_payload, m_waiter.now());
      ++m_attempt;
      return;
    } catch (const Cancelled&) {
      if (cancelling() || !m_stop.requested()) throw;
    } catch (const ConnectError& error) {
      m_last_words = error.what();
      if (error.kind() == ConnectFailure::hostile)
        throw SystemError(m_last_words,
                          "something in the job tampers with /.berth/run in its container");
      if (error.kind() != ConnectFailure::temporary) throw lost(error.kind(), m_last_words);
    }
  }
}

/// Speaks until the stage has ended (its status) or the connection is lost (nothing).
std::optional<core::ExitStatus> StageSession::serve() try {
  for (;;) {
    tend_cancel();
    m_connection->pump(m_waiter.now());
    const bool heard = drain();
    if (m_status && exit_settles() && note_settles()) return m_status;
    acknowledge();
    m_connection->flush();
    if (m_waiter.now() >= leave_at()) throw lost(ConnectFailure::absent, "it takes longer");

    const TimePoint now = m_waiter.now();
    if (m_connection->closed())
      m_last_words = "the connection was closed" +
                     (m_connection->why().empty() ? "" : ": " + printable(m_connection->why()));
    else if (!heard && now - m_connection->last_heard() >= m_limits.silence)
      m_last_words = fmt::format("no sign of life for {} s", m_limits.silence.count() / 1000);
    else if (!m_progress.answered() && now >= out_of_reach_at())
      m_last_words = "connected, but no answer";
    else {
      wait();
      continue;
    }
    if (!m_outage_since) m_outage_since = now;
    return std::nullopt;
  }
} catch (const protocol::FrameError& error) {
  throw SystemError(
      fmt::format("the agent does not speak its protocol: {}: {}", m_request.where, error.what()),
      "something in the job may pose as the agent in /.berth/run");
} catch (const ProtocolViolation& error) {
  throw SystemError(
      fmt::format("the agent does not speak its protocol: {}: {}", m_request.where, error.what()),
      "something in the job may pose as the agent in /.berth/run");
}

/// Between two attempts to connect.
void StageSession::pause() {
  const auto length = support::delay(support::Backoff{}, m_attempt, support::random_unit());
  const TimePoint until = std::min(m_waiter.now() + length, out_of_reach_at());
  pollfd stop{m_stop.fd(), POLLIN, 0};
  while (m_waiter.now() < until) {
    if (!cancelling() && m_stop.requested()) return;
    m_waiter.wait({&stop, cancelling() ? 0u : 1u}, until);
  }
}

void StageSession::wait() {
  TimePoint until = m_connection->last_heard() + m_limits.silence;
  if (!m_progress.answered()) until = std::min(until, out_of_reach_at());
  until = std::min(until, cancelling() ? m_cancel.next() : leave_at());
  if (m_note == Note::writing) until = std::min(until, m_write_until);
  if (m_connection->buffered()) until = m_waiter.now();
  // Once seen, a stop request would keep its descriptor readable for ever.
  std::array<pollfd, 2> fds{m_connection->poll_entry(), pollfd{m_stop.fd(), POLLIN, 0}};
  m_waiter.wait(std::span(fds).first(cancelling() ? 1 : 2), until);
}

/// When to give up connecting.
StageSession::TimePoint StageSession::out_of_reach_at() const {
  if (cancelling()) return m_cancel.reconnect_until();
  return m_outage_since.value_or(m_waiter.now()) + m_limits.connection_timeout;
}

AgentLost StageSession::lost(ConnectFailure kind, const std::string& why) const {
  const std::string how_long =
      kind == ConnectFailure::temporary
          ? fmt::format(" for {} s", m_limits.connection_timeout.count() / 1000)
          : std::string();
  return {fmt::format("the agent is out of reach{}: {}: {}", how_long, m_request.where, why), kind,
          m_start_sent, m_progress.delivered()};
}

protocol::StageId make_stage_id() {
  protocol::StageId id;
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
    throw SystemError("cannot name the stage: getrandom: " + support::errno_text(errno));
  return id;
}

core::ExitStatus run_stage(Transport& transport, const StageRequest& request,
                           core::OutputSink& output, const SessionLimits& limits,
                           std::stop_token stop, Waiter& waiter) {
  return StageSession(transport, request, output, limits, std::move(stop), waiter).run();
}

}  // namespace berth::agentlink
