#include "executor/agentlink/session.hpp"

#include "executor/agentlink/cancellation.hpp"
#include "executor/agentlink/connection.hpp"
#include "executor/agentlink/refusal.hpp"
#include "executor/agentlink/stage_progress.hpp"
#include "executor/support/files.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/random.h>
#include <utility>
#include <variant>

namespace berth::agentlink {
namespace {

using support::Cancelled;
using support::SystemError;
using TimePoint = Waiter::TimePoint;

/// A stage's frames are small: OUTPUT is the largest, HELLO and REFUSED carry text.
constexpr std::size_t k_max_payload = protocol::k_max_output_chunk + (64u << 10);

class Session {
 public:
  Session(Transport& transport, const StageRequest& request, core::OutputSink& output,
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
        m_outage_since(waiter.now()),
        m_cancel(limits) {}

  core::ExitStatus run();

 private:
  void open();
  std::optional<core::ExitStatus> serve();
  void pause();
  void wait();

  bool drain();
  void on(const protocol::Hello& hello);
  void on(const protocol::Started& started);
  void on(const protocol::Output& output);
  void on(const protocol::Exit& exit);
  void on(const protocol::Refused& refused) { throw_refusal(refused, m_request.where); }
  void on(const protocol::Probed&) { throw ProtocolViolation("PROBED came unasked"); }
  void on(const protocol::FileReply&) { throw ProtocolViolation("a file came unasked"); }
  void on(const protocol::Ping&);
  void acknowledge();

  bool cancelling() const { return m_cancel.running(); }
  void tend_cancel();
  void signal(std::uint8_t number);
  bool exit_settles();

  TimePoint out_of_reach_at() const;
  AgentLost lost(ConnectFailure kind, const std::string& why) const;

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
  /// Set while no connection has answered with STARTED.
  std::optional<TimePoint> m_outage_since;
  unsigned m_attempt = 0;
  std::string m_last_words = "no connection was tried";

  Cancellation m_cancel;
  /// The sink takes no more: what comes is dropped until the cancel is through.
  bool m_discard = false;
};

core::ExitStatus Session::run() {
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
void Session::open() {
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
      m_connection = std::make_unique<Connection>(std::move(stream), k_max_payload, m_waiter.now());
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
std::optional<core::ExitStatus> Session::serve() try {
  for (;;) {
    tend_cancel();
    m_connection->pump(m_waiter.now());
    const bool heard = drain();
    if (m_status && exit_settles()) return m_status;
    acknowledge();
    m_connection->flush();

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
void Session::pause() {
  const auto length = support::delay(support::Backoff{}, m_attempt, support::random_unit());
  const TimePoint until = std::min(m_waiter.now() + length, out_of_reach_at());
  pollfd stop{m_stop.fd(), POLLIN, 0};
  while (m_waiter.now() < until) {
    if (!cancelling() && m_stop.requested()) return;
    m_waiter.wait({&stop, cancelling() ? 0u : 1u}, until);
  }
}

void Session::wait() {
  TimePoint until = m_connection->last_heard() + m_limits.silence;
  if (!m_progress.answered()) until = std::min(until, out_of_reach_at());
  if (cancelling()) until = std::min(until, m_cancel.next());
  if (m_connection->buffered()) until = m_waiter.now();
  // Once seen, a stop request would keep its descriptor readable for ever.
  std::array<pollfd, 2> fds{m_connection->poll_entry(), pollfd{m_stop.fd(), POLLIN, 0}};
  m_waiter.wait(std::span(fds).first(cancelling() ? 1 : 2), until);
}

/// Takes up what the connection holds; true if there was a whole message.
bool Session::drain() {
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

void Session::on(const protocol::Hello& hello) {
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

void Session::on(const protocol::Started& started) {
  m_progress.on_started(started);
  m_outage_since.reset();
  m_attempt = 1;  // the next reconnect pauses, so that a flapping link does not spin
}

void Session::on(const protocol::Output& output) {
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

void Session::on(const protocol::Exit& exit) {
  m_status = m_progress.on_exit(exit);
}

void Session::on(const protocol::Ping&) {
  // A peer that does not read must not make us hold answers without end.
  if (m_connection->idle()) m_connection->send(protocol::Pong{});
}

void Session::acknowledge() {
  if (!m_progress.answered() || m_progress.delivered() == m_acknowledged) return;
  if (!m_connection->idle()) return;
  m_acknowledged = m_progress.delivered();
  m_connection->send(protocol::Ack{m_acknowledged});
}

/// Begins the cancel when stop is requested and moves it on with time.
void Session::tend_cancel() {
  if (!m_start_sent && m_stop.requested()) throw Cancelled();
  if (const auto number = m_cancel.advance(m_stop.requested(), m_waiter.now())) signal(*number);
}

/// Where the connection has not been greeted yet, the greeting sends it.
void Session::signal(std::uint8_t number) {
  if (m_connection && m_greeted) m_connection->send(protocol::Signal{number});
}

/// EXIT is here: true if the stage's status is the result. When the stage was
/// cancelled what it left behind is killed at once, as it is when the first
/// process of a container ends; the EXIT that answers ATTACH then tells that the
/// agent has done so.
bool Session::exit_settles() {
  if (m_discard) tend_cancel();
  if (!cancelling()) return true;
  if (m_cancel.killing()) throw Cancelled();
  m_status.reset();
  signal(m_cancel.kill(m_waiter.now()));
  m_progress.connected();
  m_connection->send(protocol::Attach{m_request.start.id, m_progress.delivered()});
  return false;
}

/// When to give up connecting.
TimePoint Session::out_of_reach_at() const {
  if (cancelling()) return m_cancel.reconnect_until();
  return m_outage_since.value_or(m_waiter.now()) + m_limits.connection_timeout;
}

AgentLost Session::lost(ConnectFailure kind, const std::string& why) const {
  const std::string how_long =
      kind == ConnectFailure::temporary
          ? fmt::format(" for {} s", m_limits.connection_timeout.count() / 1000)
          : std::string();
  return {fmt::format("the agent is out of reach{}: {}: {}", how_long, m_request.where, why), kind,
          m_start_sent, m_progress.delivered()};
}

}  // namespace

protocol::StageId make_stage_id() {
  protocol::StageId id;
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
    throw SystemError("cannot name the stage: getrandom: " + support::errno_text(errno));
  return id;
}

core::ExitStatus run_stage(Transport& transport, const StageRequest& request,
                           core::OutputSink& output, const SessionLimits& limits,
                           std::stop_token stop, Waiter& waiter) {
  return Session(transport, request, output, limits, std::move(stop), waiter).run();
}

}  // namespace berth::agentlink
