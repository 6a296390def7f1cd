#include "tests/unit/agentlink/fake_agent.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <sys/socket.h>

namespace berth::tests {
namespace {

using agentlink::Io;

class PairStream final : public agentlink::Stream {
 public:
  explicit PairStream(support::Fd fd) : m_fd(std::move(fd)) {}
  int fd() const override { return m_fd.get(); }
  Io read(std::span<char> into) override {
    return result(::recv(m_fd.get(), into.data(), into.size(), MSG_DONTWAIT));
  }
  Io write(std::string_view bytes) override {
    return result(::send(m_fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

 private:
  static Io result(ssize_t moved) {
    if (moved > 0) return {Io::State::moved, static_cast<std::size_t>(moved), {}};
    if (moved < 0 && errno == EAGAIN) return {};
    return {Io::State::closed, 0, {}};
  }
  support::Fd m_fd;
};

}  // namespace

void AgentEnd::send_raw(std::string bytes) {
  m_out += bytes;
  if (m_cut_after && m_total_sent + m_out.size() > *m_cut_after)
    m_out.resize(*m_cut_after - m_total_sent);
}

void AgentEnd::close() {
  m_fd.reset();
}

std::vector<protocol::DriverMessage> AgentEnd::step(bool& progressed) {
  if (!m_fd) return {};
  if (!m_out.empty()) {
    const ssize_t sent =
        ::send(m_fd.get(), m_out.data(), m_out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      progressed = true;
      m_total_sent += static_cast<std::size_t>(sent);
      m_out.erase(0, static_cast<std::size_t>(sent));
    }
  }
  if (m_cut_after && m_total_sent >= *m_cut_after) {
    progressed = true;
    close();
    return {};
  }
  std::vector<protocol::DriverMessage> messages;
  std::array<char, 65536> buffer;
  while (m_reading) {
    const ssize_t got = ::recv(m_fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got <= 0) break;
    progressed = true;
    m_decoder.feed({buffer.data(), static_cast<std::size_t>(got)});
  }
  while (auto message = m_decoder.next()) {
    m_received.push_back(*message);
    messages.push_back(std::move(*message));
  }
  return messages;
}

std::unique_ptr<agentlink::Stream> FakeTransport::connect(TimePoint, std::stop_token stop) {
  if (stop.stop_requested()) throw support::Cancelled();
  before_connect(m_attempts++);
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0)
    throw std::runtime_error("socketpair");
  support::Fd driver(pair[0]);
  m_ends.push_back(
      std::make_unique<AgentEnd>(support::Fd(pair[1]), static_cast<unsigned>(m_ends.size())));
  on_connect(*m_ends.back());
  return std::make_unique<PairStream>(std::move(driver));
}

bool FakeTransport::step() {
  bool progressed = false;
  for (std::size_t i = 0; i < m_ends.size(); ++i)
    for (const auto& message : m_ends[i]->step(progressed)) on_message(*m_ends[i], message);
  return progressed;
}

void FakeTransport::wait(std::span<pollfd> fds, TimePoint until) {
  for (;;) {
    const bool progressed = step();
    if (::poll(fds.data(), fds.size(), 0) > 0 || until <= m_now) return;
    if (progressed || when_idle()) continue;
    m_jumps.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(until - m_now));
    m_now = until;
    return;
  }
}

std::chrono::milliseconds FakeTransport::elapsed() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(m_now.time_since_epoch() -
                                                               std::chrono::hours(1));
}

HonestAgent::HonestAgent(FakeTransport& transport, std::string output, protocol::Exit exit)
    : m_output(std::move(output)), m_exit(exit) {
  hello.nonce.fill(7);
  transport.on_connect = [this](AgentEnd& end) { greet(end); };
  transport.on_message = [this](AgentEnd& end, const protocol::DriverMessage& message) {
    answer(end, message);
  };
}

void HonestAgent::answer(AgentEnd& end, const protocol::DriverMessage& message) {
  if (const auto* it = std::get_if<protocol::Start>(&message)) {
    if (!start || start->id != it->id) ++starts;
    start = *it;
    deliver(end, m_held_from);
  } else if (const auto* attach = std::get_if<protocol::Attach>(&message)) {
    attaches.push_back(*attach);
    if (!start || start->id != attach->id)
      end.send(protocol::Refused{protocol::RefusalReason::unknown_stage, ""});
    else if (attach->offset < m_held_from)
      end.send(protocol::Refused{protocol::RefusalReason::offset_forgotten, ""});
    else
      deliver(end, attach->offset);
  } else if (const auto* ack = std::get_if<protocol::Ack>(&message)) {
    acks.push_back(ack->offset);
    m_held_from = std::max(m_held_from, ack->offset);
  } else if (const auto* signal = std::get_if<protocol::Signal>(&message)) {
    signals.push_back(*signal);
  }
}

void HonestAgent::deliver(AgentEnd& end, std::uint64_t from) {
  end.send(protocol::Started{
      start->id, finished ? protocol::StageState::finished : protocol::StageState::running, from});
  for (std::size_t at = from; at < m_output.size(); at += chunk)
    end.send(protocol::Output{at, m_output.substr(at, chunk)});
  if (finished) finish(end);
}

void HonestAgent::finish(AgentEnd& end) {
  finished = true;
  m_exit.id = start->id;
  m_exit.length = m_output.size();
  end.send(m_exit);
}

agentlink::StageRequest test_request(std::string script) {
  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  request.start.script = std::move(script);
  request.where = "build container 'berth-1-build'";
  return request;
}

}  // namespace berth::tests
