#include "executor/kubernetes/api/exec_transport.hpp"

#include "agent/protocol/exit_codes.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/kubernetes/api/caller.hpp"
#include "executor/kubernetes/api/exec.hpp"
#include "executor/kubernetes/api/pod_end.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::kubernetes {
namespace {

using agentlink::ConnectError;
using agentlink::ConnectFailure;
using agentlink::Io;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr int k_cannot_run = 126;
constexpr int k_no_program = 127;
constexpr int k_killed = 137;

/// The agent's bytes: the standard output of `connect`.
class AgentStream final : public agentlink::Stream {
 public:
  explicit AgentStream(std::unique_ptr<ExecStream> exec) : m_exec(std::move(exec)) {}

  int fd() const override { return m_exec->fd(); }
  short poll_events(bool wants_write) const override { return m_exec->poll_events(wants_write); }
  bool buffered() const override { return m_used < m_first.size() || m_exec->buffered(); }

  Io read(std::span<char> into) override {
    if (m_used < m_first.size()) {
      const std::size_t count = std::min(into.size(), m_first.size() - m_used);
      std::memcpy(into.data(), m_first.data() + m_used, count);
      m_used += count;
      return {Io::State::moved, count, {}};
    }
    return translated(m_exec->read(into));
  }

  Io write(std::string_view bytes) override { return translated(m_exec->write(bytes)); }

  /// Takes what is there without handing it out.
  Io fill() {
    std::array<char, 4096> piece;
    Io io = translated(m_exec->read(piece));
    if (io.state == Io::State::moved) m_first.append(piece.data(), io.bytes);
    return io;
  }
  const ExecStream& exec() const { return *m_exec; }

 private:
  Io translated(ExecStream::Io io) const {
    if (io.state == ExecStream::State::moved) return {Io::State::moved, io.bytes, {}};
    if (io.state == ExecStream::State::would_block) return {};
    return {Io::State::closed, 0, words(std::move(io.why))};
  }

  /// The program's own words are the best, then the server's.
  std::string words(std::string why) const {
    if (std::string said = support::one_line(m_exec->errors(), 300); !said.empty()) return said;
    if (m_exec->result() && !m_exec->result()->message.empty()) return m_exec->result()->message;
    return why;
  }

  std::unique_ptr<ExecStream> m_exec;
  std::string m_first;
  std::size_t m_used = 0;
};

class ExecTransport final : public agentlink::Transport {
 public:
  ExecTransport(Client& client, ExecTarget target)
      : m_client(client), m_target(std::move(target)) {}

  std::unique_ptr<agentlink::Stream> connect(TimePoint deadline, std::stop_token stop) override {
    try {
      auto stream = std::make_unique<AgentStream>(open_exec(m_client,
                                                            {.name_space = m_target.name_space,
                                                             .pod = m_target.pod,
                                                             .container = m_target.container,
                                                             .command = command()},
                                                            deadline, stop));
      await_first_bytes(*stream, deadline, stop);
      return stream;
    } catch (const ApiError& error) {
      if (error.unauthorized() || error.forbidden()) throw;
      // 101 missing, or a request nobody understands: no second try helps.
      if (error.fault() == support::Fault::operator_ && error.code() < 400) throw;
      throw failed(ConnectFailure::temporary, error.server_text(), deadline, stop);
    } catch (const ApiUnreachable& error) {
      if (error.fault() == support::Fault::operator_) throw;
      throw ConnectError(ConnectFailure::temporary, error.what());
    }
  }

  std::string describe() const override {
    return fmt::format("exec in container '{}' of pod '{}/{}' of {}", m_target.container,
                       m_target.name_space, m_target.pod, m_client.describe());
  }

 private:
  std::vector<std::string> command() const {
    std::vector<std::string> words{m_target.program, m_target.argument};
    words.insert(words.end(), m_target.more.begin(), m_target.more.end());
    return words;
  }

  void await_first_bytes(AgentStream& stream, TimePoint deadline, const std::stop_token& stop) {
    const agentlink::StopSignal stopping(stop);
    agentlink::Waiter& waiter = agentlink::system_waiter();
    while (true) {
      const Io io = stream.fill();
      if (io.state == Io::State::moved) return;
      if (io.state == Io::State::closed) throw ended(stream.exec(), io.why, deadline, stop);
      if (stopping.requested()) throw support::Cancelled();
      if (waiter.now() >= deadline)
        throw ConnectError(ConnectFailure::temporary, describe() + ": the agent does not answer");
      if (stream.buffered()) continue;
      std::array<pollfd, 2> fds{pollfd{stream.fd(), stream.poll_events(false), 0},
                                pollfd{stopping.fd(), POLLIN, 0}};
      waiter.wait(fds, deadline);
    }
  }

  /// The exec ended before the agent spoke.
  ConnectError ended(const ExecStream& exec, const std::string& why, TimePoint deadline,
                     const std::stop_token& stop) {
    std::string text = why.empty() ? "the connection ended without a word" : why;
    if (!exec.result()) return failed(ConnectFailure::temporary, text, deadline, stop);
    const ExecResult& result = *exec.result();
    if (result.exit_code && exec.errors().empty())
      text =
          fmt::format("the agent's program ended without a word (exit code {})", *result.exit_code);
    return failed(meaning_of(result), text, deadline, stop);
  }

  static ConnectFailure meaning_of(const ExecResult& result) {
    const auto says = [&](const char* words) {
      return result.message.find(words) != std::string::npos;
    };
    if (!result.exit_code) {
      // What the container's runtime writes when there is no such program.
      const bool absent = says("no such file or directory") || says("executable file not found") ||
                          says("permission denied");
      return absent ? ConnectFailure::absent : ConnectFailure::temporary;
    }
    switch (*result.exit_code) {
      case k_cannot_run:
      case k_no_program:
        return ConnectFailure::absent;
      case protocol::k_exit_nobody:
      case k_killed:  // the container ended meanwhile
        return ConnectFailure::gone;
      default:
        return ConnectFailure::temporary;
    }
  }

  /// The pod's own status is better evidence than an exec's end. Asked once.
  ConnectError failed(ConnectFailure kind, const std::string& text, TimePoint deadline,
                      const std::stop_token& stop) {
    Caller& caller = m_client.impl().caller;
    ApiCall call{.name = call_name("get", resources::k_pods, m_target.name_space, m_target.pod)};
    call.request.target = object_path(resources::k_pods, m_target.name_space, m_target.pod);
    call.request.deadline = deadline;
    try {
      const nlohmann::json pod =
          nlohmann::json::parse(caller.once(call, stop).body, nullptr, false);
      if (const std::optional<std::string> why = why_ended(pod, m_target.container, m_target.uid))
        return {ConnectFailure::gone, describe() + ": " + *why};
    } catch (const ApiError& error) {
      if (error.not_found()) return {ConnectFailure::gone, describe() + ": " + error.server_text()};
    } catch (const net::HttpError&) {  // the exec's own words will do
    }
    return {kind, describe() + ": " + text};
  }

  Client& m_client;
  const ExecTarget m_target;
};

}  // namespace

std::unique_ptr<agentlink::Transport> make_exec_transport(Client& client, ExecTarget target) {
  return std::make_unique<ExecTransport>(client, std::move(target));
}

}  // namespace berth::kubernetes
