#pragma once

#include "executor/agentlink/cancellation.hpp"
#include "executor/agentlink/connection.hpp"
#include "executor/agentlink/refusal.hpp"
#include "executor/agentlink/session.hpp"
#include "executor/agentlink/stage_progress.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace berth::agentlink {

/// One run of run_stage(): internal to session*.cpp. Owns the connection of the
/// moment and what outlives it: how far the output has come, since when the agent
/// is out of reach, how far a cancel is.
class StageSession {
 public:
  using TimePoint = Waiter::TimePoint;

  StageSession(Transport& transport, const StageRequest& request, core::OutputSink& output,
               const SessionLimits& limits, std::stop_token stop, Waiter& waiter)
      : m_transport(transport),
        m_request(request),
        m_output(output),
        m_limits(limits),
        m_stop(std::move(stop)),
        m_waiter(waiter),
        m_progress(request.start.id, request.resume.value_or(0)),
        m_nonce(request.nonce),
        m_start_sent(request.resume.has_value()),
        m_leave_at(limits.leave_after ? waiter.now() + *limits.leave_after : TimePoint::max()),
        m_outage_since(waiter.now()),
        m_cancel(limits) {}

  /// Once. As run_stage().
  core::ExitStatus run();

 private:
  // session.cpp: how connections come and go.
  void open();
  std::optional<core::ExitStatus> serve();
  void pause();
  void wait();
  TimePoint out_of_reach_at() const;
  /// When to leave a stage that runs to another program.
  TimePoint leave_at() const {
    return m_progress.answered() && !cancelling() ? m_leave_at : TimePoint::max();
  }
  AgentLost lost(ConnectFailure kind, const std::string& why) const;

  // session_messages.cpp: what is said on one.
  bool drain();
  void on(const protocol::Hello& hello);
  void on(const protocol::Started& started);
  void on(const protocol::Output& output);
  void on(const protocol::Exit& exit);
  void on(const protocol::Refused& refused) { throw_refusal(refused, m_request.where); }
  void on(const protocol::Probed&) { throw ProtocolViolation("PROBED came unasked"); }
  void on(const protocol::FileReply& reply);
  void on(const protocol::Ping&);
  void acknowledge();

  bool cancelling() const { return m_cancel.running(); }
  void tend_cancel();
  void signal(std::uint8_t number);
  bool exit_settles();
  void begin();
  bool note_settles();

  Transport& m_transport;
  const StageRequest& m_request;
  core::OutputSink& m_output;
  const SessionLimits& m_limits;
  StopSignal m_stop;
  Waiter& m_waiter;

  StageProgress m_progress;
  std::optional<Nonce> m_nonce;
  bool m_start_sent;
  std::optional<core::ExitStatus> m_status;

  std::unique_ptr<Connection> m_connection;
  bool m_greeted = false;
  std::uint64_t m_acknowledged = 0;
  const TimePoint m_leave_at;
  /// Set while no connection has answered with STARTED.
  std::optional<TimePoint> m_outage_since;
  unsigned m_attempt = 0;
  std::string m_last_words = "no connection was tried";

  Cancellation m_cancel;
  /// The sink takes no more: what comes is dropped until the cancel is through.
  bool m_discard = false;

  enum class Note { unread, reading, read, writing, written };
  Note m_note = Note::unread;
  /// The request's, as the note has changed it.
  protocol::Start m_start;
  TimePoint m_write_until{};
};

}  // namespace berth::agentlink
