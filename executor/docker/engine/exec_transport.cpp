#include "executor/docker/engine/exec_transport.hpp"

#include "agent/protocol/exit_codes.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/docker/engine/failures.hpp"
#include "executor/docker/engine/stream_demux.hpp"
#include "executor/support/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::docker {
namespace {

using agentlink::ConnectError;
using agentlink::ConnectFailure;
using agentlink::Io;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr const char* k_program = "/.berth/bin/berth-agent";
constexpr std::size_t k_max_errors = 4096;
/// Bytes of the agent held for the reader: one raw read's worth.
constexpr std::size_t k_read_size = std::size_t{64} << 10;

/// Takes the agent's bytes out of the engine's frames. What `berth-agent
/// connect` writes to its stderr is kept for messages.
class ExecStream final : public agentlink::Stream {
 public:
  explicit ExecStream(std::unique_ptr<net::DuplexStream> raw) : m_raw(std::move(raw)) {}

  int fd() const override { return m_raw->fd(); }
  bool buffered() const override { return m_used < m_output.size() || m_raw->buffered(); }

  Io read(std::span<char> into) override {
    while (m_used == m_output.size()) {
      if (Io io = refill(); io.state != Io::State::moved) return io;
    }
    const std::size_t count = std::min(into.size(), m_output.size() - m_used);
    std::memcpy(into.data(), m_output.data() + m_used, count);
    m_used += count;
    return {Io::State::moved, count, {}};
  }

  Io write(std::string_view bytes) override {
    const net::DuplexIo io = m_raw->write(bytes);
    if (io.state == net::DuplexIo::State::moved) return {Io::State::moved, io.bytes, {}};
    if (io.state == net::DuplexIo::State::would_block) return {};
    return closed(io.why);
  }

  /// Takes what is there without handing it out; true when the agent spoke.
  Io fill() {
    if (m_used < m_output.size()) return {Io::State::moved, m_output.size() - m_used, {}};
    return refill();
  }
  /// What came instead of frames: an engine that cannot start the program says
  /// so on its standard output. No message of the agent begins with a letter.
  bool has_output() const { return m_used < m_output.size(); }
  bool has_words() const {
    return has_output() && static_cast<unsigned char>(m_output[m_used]) < 0x80;
  }
  /// Moves those words to where the messages look.
  void take_words() {
    m_errors.append(m_output, m_used, k_max_errors - std::min(k_max_errors, m_errors.size()));
    m_output.clear();
    m_used = 0;
  }

 private:
  /// One raw read; `moved` says nothing about how many of its bytes are output.
  Io refill() {
    m_output.clear();
    m_used = 0;
    const net::DuplexIo io = m_raw->read(m_buffer);
    if (io.state == net::DuplexIo::State::would_block) return {};
    if (io.state == net::DuplexIo::State::closed) return closed(io.why);
    try {
      m_demux.feed({m_buffer.data(), io.bytes}, [this](OutputStream stream,
                                                       std::string_view piece) {
        if (stream == OutputStream::output)
          m_output.append(piece);
        else
          m_errors.append(piece.substr(0, k_max_errors - std::min(k_max_errors, m_errors.size())));
      });
    } catch (const DemuxError& error) {
      return closed(error.what());
    }
    return {Io::State::moved, io.bytes, {}};
  }

  Io closed(const std::string& why) const {
    const std::string said = support::one_line(m_errors, k_longest_words);
    return {Io::State::closed, 0, said.empty() ? why : said};
  }

  std::unique_ptr<net::DuplexStream> m_raw;
  StreamDemux m_demux;
  std::array<char, k_read_size> m_buffer;
  std::string m_output;
  std::size_t m_used = 0;
  std::string m_errors;
};

class ExecTransport final : public agentlink::Transport {
 public:
  ExecTransport(Engine& engine, std::string container, std::vector<std::string> arguments)
      : m_engine(engine), m_container(std::move(container)), m_command{k_program} {
    m_command.insert(m_command.end(), arguments.begin(), arguments.end());
  }

  std::unique_ptr<agentlink::Stream> connect(TimePoint deadline, std::stop_token stop) override {
    try {
      const std::string exec =
          m_engine.create_exec(m_container, {.cmd = m_command, .user = "0:0"}, stop);
      auto stream = std::make_unique<ExecStream>(m_engine.start_exec(exec, deadline, stop));
      await_first_bytes(*stream, exec, deadline, stop);
      return stream;
    } catch (const EngineError& error) {
      throw ConnectError(failure_of(error), error.what());
    } catch (const EngineUnreachable& error) {
      if (error.fault() == support::Fault::operator_) throw;
      throw ConnectError(ConnectFailure::temporary, error.what());
    }
  }

  std::string describe() const override {
    return "exec in container '" + m_container + "' of the " + m_engine.describe();
  }

 private:
  static ConnectFailure failure_of(const EngineError& error) {
    if (error.not_found()) return ConnectFailure::gone;
    if (error.conflict()) {
      // "Container <id> is paused, unpause the container before exec"
      return error.engine_text().find("paused") != std::string::npos ? ConnectFailure::temporary
                                                                     : ConnectFailure::gone;
    }
    return ConnectFailure::temporary;
  }

  void await_first_bytes(ExecStream& stream, const std::string& exec, TimePoint deadline,
                         const std::stop_token& stop) {
    const agentlink::StopSignal stopping(stop);
    while (true) {
      const Io io = stream.fill();
      if (io.state == Io::State::closed) throw ended(exec, io.why, stop);
      if (stream.has_words())
        stream.take_words();
      else if (stream.has_output())
        return;
      // Looked at after words too: a job that poses as the agent may send them
      // without end.
      if (stopping.requested()) throw support::Cancelled();
      agentlink::Waiter& waiter = agentlink::system_waiter();
      if (waiter.now() >= deadline)
        throw ConnectError(ConnectFailure::temporary, describe() + ": the agent does not answer");
      if (io.state == Io::State::moved) continue;
      std::array<pollfd, 2> fds{pollfd{stream.fd(), stream.poll_events(false), 0},
                                pollfd{stopping.fd(), POLLIN, 0}};
      waiter.wait(fds, deadline);
    }
  }

  /// The exec ended before the agent spoke: its exit code says why.
  ConnectError ended(const std::string& exec, const std::string& why, const std::stop_token& stop) {
    const ExecInfo info = m_engine.inspect_exec(exec, stop);
    std::string text = why.empty() ? "the agent's program ended without a word" : why;
    if (!info.running) text += " (exit code " + std::to_string(info.exit_code) + ")";
    return {meaning_of(info, why), describe() + ": " + text};
  }

  static ConnectFailure meaning_of(const ExecInfo& info, const std::string& why) {
    if (info.running) return ConnectFailure::temporary;
    switch (info.exit_code) {
      case 126:  // the program cannot be started
      case 127:
        // "... container is not running": it ended between two calls
        return why.find("not running") != std::string::npos ? ConnectFailure::gone
                                                            : ConnectFailure::absent;
      case protocol::k_exit_nobody:
      case k_killed:  // the container ended meanwhile
        return ConnectFailure::gone;
      default:
        return ConnectFailure::temporary;
    }
  }

  static constexpr int k_killed = 137;

  Engine& m_engine;
  std::string m_container;
  std::vector<std::string> m_command;
};

}  // namespace

std::unique_ptr<agentlink::Transport> make_exec_transport(Engine& engine, std::string container,
                                                          std::vector<std::string> arguments) {
  return std::make_unique<ExecTransport>(engine, std::move(container), std::move(arguments));
}

}  // namespace berth::docker
