#include "executor/agentlink/client.hpp"

#include "executor/agentlink/connection.hpp"
#include "executor/agentlink/refusal.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

namespace berth::agentlink {
namespace {

using support::Cancelled;
using support::SystemError;
using TimePoint = Waiter::TimePoint;

/// What the agent may take over its deadline to say that a probe is decided, and
/// for an answer that needs no waiting.
constexpr std::chrono::seconds k_answer_time{10};

SystemError broken(std::string_view what) {
  return SystemError(fmt::format("the agent does not speak its protocol: {}", what));
}

/// The next message within the time; nothing when the connection is closed or
/// the time is over. Answers PING on the way. Throws Cancelled, SystemError.
std::optional<protocol::AgentMessage> receive(Connection& connection, TimePoint until,
                                              StopSignal& stop, Waiter& waiter) try {
  for (;;) {
    if (stop.requested()) throw Cancelled();
    connection.pump(waiter.now());
    while (auto message = connection.next()) {
      if (const auto* refused = std::get_if<protocol::Refused>(&*message))
        throw_refusal(*refused, "job container");
      if (!std::holds_alternative<protocol::Ping>(*message)) return message;
      if (connection.idle()) connection.send(protocol::Pong{});
    }
    connection.flush();
    if (connection.closed() || waiter.now() >= until) return std::nullopt;
    std::array<pollfd, 2> fds{connection.poll_entry(), pollfd{stop.fd(), POLLIN, 0}};
    waiter.wait(fds, connection.buffered() ? waiter.now() : until);
  }
} catch (const protocol::FrameError& error) {
  throw broken(error.what());
}

std::string why_nothing_came(const Connection& connection) {
  if (!connection.closed()) return "no answer in time";
  if (connection.why().empty()) return "the connection was closed";
  return "the connection was closed: " + printable(connection.why());
}

}  // namespace

AgentClient::AgentClient(std::unique_ptr<Connection> connection, protocol::Hello hello,
                         Waiter& waiter)
    : m_connection(std::move(connection)), m_hello(std::move(hello)), m_waiter(&waiter) {}
AgentClient::AgentClient(AgentClient&&) noexcept = default;
AgentClient& AgentClient::operator=(AgentClient&&) noexcept = default;
AgentClient::~AgentClient() = default;

const protocol::Hello& AgentClient::hello() const noexcept {
  return m_hello;
}

AgentClient AgentClient::connect(Transport& transport, TimePoint deadline, std::stop_token stop,
                                 Waiter& waiter) {
  StopSignal signal(stop);
  for (unsigned attempt = 0;; ++attempt) {
    if (signal.requested()) throw Cancelled();
    std::optional<ConnectError> failure;
    try {
      auto connection = std::make_unique<Connection>(transport.connect(deadline, stop),
                                                     protocol::k_max_agent_payload, waiter.now());
      const auto message = receive(*connection, deadline, signal, waiter);
      if (message) {
        const auto* hello = std::get_if<protocol::Hello>(&*message);
        if (hello == nullptr) throw broken("the first frame is not HELLO");
        if (hello->version != protocol::k_version)
          throw SystemError(
              fmt::format("the agent speaks version {} of its protocol, this driver "
                          "{}: {}",
                          hello->version, protocol::k_version, transport.describe()));
        return AgentClient(std::move(connection), *hello, waiter);
      }
      failure.emplace(ConnectFailure::temporary,
                      "cannot speak to the agent: " + transport.describe() + ": " +
                          why_nothing_came(*connection));
    } catch (const ConnectError& error) {
      if (error.kind() == ConnectFailure::absent || error.kind() == ConnectFailure::hostile) throw;
      failure.emplace(error);
    }
    if (waiter.now() >= deadline) throw *failure;
    // A container that has just been started is worth looking at more often than
    // an agent that was lost.
    const support::Backoff backoff{std::chrono::milliseconds(4), std::chrono::milliseconds(100)};
    const auto pause = support::delay(backoff, attempt + 1, support::random_unit());
    const TimePoint until = std::min(waiter.now() + pause, deadline);
    while (waiter.now() < until && !signal.requested()) {
      pollfd fd{signal.fd(), POLLIN, 0};
      waiter.wait({&fd, 1}, until);
    }
  }
}

std::vector<AgentClient::ProbeResult> AgentClient::probe(
    std::span<const protocol::ProbeTarget> targets, std::chrono::milliseconds limit,
    std::chrono::milliseconds interval, std::stop_token stop,
    const std::function<void(std::size_t, const ProbeResult&)>& decided) {
  std::vector<std::optional<ProbeResult>> found(targets.size());
  if (targets.empty()) return {};
  StopSignal signal(std::move(stop));
  protocol::Probe question;
  question.tag = ++m_tag;
  question.deadline_ms = static_cast<std::uint32_t>(limit.count());
  question.interval_ms = static_cast<std::uint32_t>(interval.count());
  question.targets.assign(targets.begin(), targets.end());
  m_connection->send(question);

  const TimePoint until = m_waiter->now() + limit + k_answer_time;
  for (std::size_t open = targets.size(); open > 0;) {
    const auto message = receive(*m_connection, until, signal, *m_waiter);
    if (!message)
      throw ConnectionLost("cannot probe services: the agent: " + why_nothing_came(*m_connection));
    const auto* answer = std::get_if<protocol::Probed>(&*message);
    if (answer == nullptr) throw broken("a probe was answered by something else");
    if (answer->tag != m_tag) continue;  // of a probe that was given up
    if (answer->index >= found.size() || found[answer->index])
      throw broken("PROBED names a target that was not asked for");
    found[answer->index] = ProbeResult{answer->answered, printable(answer->text)};
    --open;
    if (decided) decided(answer->index, *found[answer->index]);
  }

  std::vector<ProbeResult> results;
  results.reserve(found.size());
  for (auto& result : found) results.push_back(std::move(*result));
  return results;
}

void AgentClient::put(const std::string& path, std::string_view bytes, const PutOptions& options,
                      std::stop_token stop) {
  if (bytes.size() > protocol::k_max_file)
    throw SystemError(
        fmt::format("cannot write '{}' in the container: {} bytes are more than the "
                    "agent takes ({})",
                    path, bytes.size(), protocol::k_max_file));
  m_connection->send(
      protocol::Put{++m_tag, path, options.mode, options.uid, options.gid, std::string(bytes)});
  const protocol::FileReply reply = await_file(m_tag, std::move(stop));
  if (reply.error != 0)
    throw SystemError(fmt::format("cannot write '{}' in the container: {}", path,
                                  support::errno_text(static_cast<int>(reply.error))));
}

std::string AgentClient::get(const std::string& path, std::stop_token stop) {
  m_connection->send(protocol::Get{++m_tag, path});
  protocol::FileReply reply = await_file(m_tag, std::move(stop));
  if (reply.error != 0)
    throw SystemError(fmt::format("cannot read '{}' in the container: {}", path,
                                  support::errno_text(static_cast<int>(reply.error))));
  if (reply.bytes.size() > protocol::k_max_file) throw broken("a file is larger than allowed");
  return std::move(reply.bytes);
}

protocol::FileReply AgentClient::await_file(std::uint32_t tag, std::stop_token stop) {
  StopSignal signal(std::move(stop));
  const TimePoint until = m_waiter->now() + k_answer_time;
  for (;;) {
    auto message = receive(*m_connection, until, signal, *m_waiter);
    if (!message)
      throw ConnectionLost("cannot exchange a file with the agent: " +
                           why_nothing_came(*m_connection));
    if (auto* reply = std::get_if<protocol::FileReply>(&*message)) {
      if (reply->tag == tag) return std::move(*reply);
    } else if (!std::holds_alternative<protocol::Probed>(*message)) {
      throw broken("a file request was answered by something else");
    }
  }
}

void AgentClient::signal(std::uint8_t number, std::stop_token stop) {
  StopSignal signal(std::move(stop));
  m_connection->send(protocol::Signal{number});
  const TimePoint until = m_waiter->now() + k_answer_time;
  while (!m_connection->idle()) {
    if (signal.requested()) throw Cancelled();
    m_connection->pump(m_waiter->now());
    if (m_connection->closed() || m_waiter->now() >= until)
      throw ConnectionLost("cannot signal the container's processes: the agent: " +
                           why_nothing_came(*m_connection));
    if (m_connection->idle()) break;
    std::array<pollfd, 2> fds{m_connection->poll_entry(), pollfd{signal.fd(), POLLIN, 0}};
    m_waiter->wait(fds, until);
  }
}

}  // namespace berth::agentlink
