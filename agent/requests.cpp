// What the agent does with each message of its driver: the part of Server that
// keeps the rules of protocol/messages.hpp.

#include "agent/files.hpp"
#include "agent/processes.hpp"
#include "agent/server.hpp"

#include <csignal>

namespace berth::agent {

using protocol::RefusalReason;

void Server::dispatch(const protocol::DriverMessage& message) {
  std::visit([this](const auto& content) { handle(content); }, message);
}

void Server::handle(const protocol::Start& start) {
  if (m_stage && m_stage->id() == start.id) return attach_at(m_stage->ring().begin());
  // Its end may be known to the kernel only.
  reap();
  // Its driver has gone for good: the runner is never in two stages at once.
  if (m_stage && !m_stage->ended() && !m_attached) kill_all();
  if (m_stage && !m_stage->ended()) {
    m_driver->send(
        protocol::Refused{.reason = RefusalReason::busy, .text = "another stage is still running"});
    return;
  }
  try {
    m_memory_kills_before = m_memory_kills.count();
    Launched launched = launch(start, m_inherited);
    if (m_stage) {
      if (Fd pipe = m_stage->take_pipe()) m_strays.push_back(std::move(pipe));
    }
    m_stage.emplace(start.id, std::move(launched));
    attach_at(0);
  } catch (const LaunchError& error) {
    m_driver->send(protocol::Refused{.reason = error.reason(), .text = error.what()});
  }
}

void Server::handle(const protocol::Attach& attach) {
  if (!m_stage || m_stage->id() != attach.id) {
    m_driver->send(protocol::Refused{.reason = RefusalReason::unknown_stage,
                                     .text = "this stage is not the last one that was started"});
    return;
  }
  if (attach.offset < m_stage->ring().begin()) {
    m_driver->send(protocol::Refused{.reason = RefusalReason::offset_forgotten,
                                     .text = "the output from there on has been acknowledged"});
    return;
  }
  if (attach.offset > m_stage->ring().end()) {
    return m_driver->refuse("ATTACH beyond the end of the output");
  }
  attach_at(attach.offset);
}

void Server::attach_at(std::uint64_t offset) {
  m_attached = true;
  m_sent = offset;
  m_exit_sent = false;
  m_driver->send(protocol::Started{
      .id = m_stage->id(),
      .state = m_stage->ended() ? protocol::StageState::finished : protocol::StageState::running,
      .offset = offset});
}

void Server::handle(const protocol::Ack& ack) {
  if (!m_attached || ack.offset > m_sent) {
    return m_driver->refuse("ACK of bytes that were not sent");
  }
  OutputRing& ring = m_stage->ring();
  if (ack.offset > ring.begin()) ring.forget(ack.offset);
}

void Server::handle(const protocol::Signal& signal) {
  if (signal.number == 0 || signal.number >= NSIG) return m_driver->refuse("no such signal");
  if (signal.number == SIGKILL) return kill_all();
  signal_all(signal.number);
}

void Server::handle(const protocol::Probe& probe) {
  // Each target may hold a socket.
  constexpr std::size_t k_most_targets = 512;
  if (probe.targets.size() > k_most_targets) return m_driver->refuse("too many addresses to probe");
  m_prober.add(probe, Clock::now());
}

void Server::handle(const protocol::Put& put) {
  m_driver->send(is_note(put.path) ? m_notes.put(put) : put_file(put));
}

void Server::handle(const protocol::Get& get) {
  m_driver->send(is_note(get.path) ? m_notes.get(get) : get_file(get));
}

void Server::handle(const protocol::Pong&) {}

}  // namespace berth::agent
