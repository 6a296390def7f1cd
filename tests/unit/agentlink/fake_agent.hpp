#pragma once

#include "agent/protocol/frames.hpp"
#include "executor/agentlink/session.hpp"
#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/support/fd.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::tests {

/// One connection as a scripted agent sees it. Everything runs in the test's
/// thread: the test's waiter lets it read what the driver wrote.
class AgentEnd {
 public:
  AgentEnd(support::Fd fd, unsigned number) : m_fd(std::move(fd)), m_number(number) {}

  /// From 0: which connection this is.
  unsigned number() const { return m_number; }
  /// Messages the driver sent on this connection, so far.
  const std::vector<protocol::DriverMessage>& received() const { return m_received; }

  void send(const protocol::AgentMessage& message) { send_raw(protocol::encode(message)); }
  void send_raw(std::string bytes);
  /// The connection is cut when the driver has been sent this many bytes.
  void cut_after_sending(std::size_t bytes) { m_cut_after = bytes; }
  void close();
  bool open() const { return static_cast<bool>(m_fd); }
  /// Stops taking what the driver sends.
  void stop_reading() { m_reading = false; }
  void resume_reading() { m_reading = true; }
  std::size_t unsent() const { return m_out.size(); }

 private:
  friend class FakeTransport;
  /// Moves bytes; returns messages that came. True through `progressed` if anything moved.
  std::vector<protocol::DriverMessage> step(bool& progressed);

  support::Fd m_fd;
  unsigned m_number;
  protocol::DriverDecoder m_decoder{protocol::k_max_driver_payload};
  std::vector<protocol::DriverMessage> m_received;
  std::string m_out;
  std::size_t m_total_sent = 0;
  std::optional<std::size_t> m_cut_after;
  bool m_reading = true;
};

/// Connects the driver to a scripted agent; also the waiter, whose clock jumps
/// to the awaited time whenever neither side has anything to do.
class FakeTransport final : public agentlink::Transport, public agentlink::Waiter {
 public:
  /// Each new connection.
  std::function<void(AgentEnd&)> on_connect = [](AgentEnd&) {};
  /// Each message of the driver.
  std::function<void(AgentEnd&, const protocol::DriverMessage&)> on_message =
      [](AgentEnd&, const protocol::DriverMessage&) {};
  /// Asked before each connect; may throw ConnectError.
  std::function<void(unsigned attempt)> before_connect = [](unsigned) {};
  /// When nothing moves, just before the clock jumps: true if it did something.
  std::function<bool()> when_idle = [] { return false; };

  std::unique_ptr<agentlink::Stream> connect(TimePoint deadline, std::stop_token stop) override;
  std::string describe() const override { return "fake agent"; }

  TimePoint now() const override { return m_now; }
  void wait(std::span<pollfd> fds, TimePoint until) override;

  /// Lets the agent read and write until it has nothing to do.
  void settle() {
    while (step()) {
    }
  }
  unsigned attempts() const { return m_attempts; }
  std::vector<std::unique_ptr<AgentEnd>>& connections() { return m_ends; }
  AgentEnd& last() { return *m_ends.back(); }
  /// How far the clock jumped at each wait that nothing ended.
  const std::vector<std::chrono::milliseconds>& jumps() const { return m_jumps; }
  std::chrono::milliseconds elapsed() const;

 private:
  bool step();

  TimePoint m_now{std::chrono::hours(1)};
  unsigned m_attempts = 0;
  std::vector<std::unique_ptr<AgentEnd>> m_ends;
  std::vector<std::chrono::milliseconds> m_jumps;
};

/// An agent that keeps the protocol's rules for one stage with a given output
/// and exit: START once, OUTPUT from the offset asked for, EXIT at the end.
class HonestAgent {
 public:
  HonestAgent(FakeTransport& transport, std::string output, protocol::Exit exit);

  unsigned starts = 0;
  std::vector<std::uint64_t> acks;
  std::vector<protocol::Signal> signals;
  std::vector<protocol::Attach> attaches;
  std::optional<protocol::Start> start;
  protocol::Hello hello;
  /// The stage ends when this is true (its output is there at once).
  bool finished = true;
  std::size_t chunk = 10;

  void greet(AgentEnd& end) { end.send(hello); }
  void answer(AgentEnd& end, const protocol::DriverMessage& message);
  /// Ends the stage: sends EXIT on the connection.
  void finish(AgentEnd& end);

 private:
  void deliver(AgentEnd& end, std::uint64_t from);

  std::string m_output;
  protocol::Exit m_exit;
  std::uint64_t m_held_from = 0;
};

/// Keeps what it is given.
class StringSink final : public core::OutputSink {
 public:
  void write(std::string_view bytes) override {
    if (before_write) before_write(bytes);
    text += bytes;
  }
  std::string text;
  std::function<void(std::string_view)> before_write;
};

/// A request for the stage every unit test runs.
agentlink::StageRequest test_request(std::string script = "true\n");

}  // namespace berth::tests
