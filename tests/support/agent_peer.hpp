#pragma once

#include "agent/protocol/frames.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace berth::tests {

/// How a stage ended, as its driver saw it.
struct StageResult {
  std::string output;
  protocol::Exit exit;
};

/// A fresh stage id on each call.
protocol::StageId next_stage_id();

/// The driver's side of one connection, for tests that say each frame themselves.
/// Every wait ends with an exception after a limit that only a fault reaches.
class AgentPeer {
 public:
  /// Takes the descriptor over.
  explicit AgentPeer(int fd) : m_fd(fd) {}
  AgentPeer(AgentPeer&& other) noexcept;
  AgentPeer(const AgentPeer&) = delete;
  AgentPeer& operator=(const AgentPeer&) = delete;
  ~AgentPeer();

  int fd() const { return m_fd; }
  void send(const protocol::DriverMessage& message);
  void send_raw(std::string_view bytes);
  void shutdown_write();
  void close();

  /// The next message; empty at the end of the stream.
  std::optional<protocol::AgentMessage> next();
  /// The next message of type T; answers PINGs on the way. Throws where another
  /// type or the end comes first.
  template <typename T>
  T expect() {
    for (;;) {
      std::optional<protocol::AgentMessage> message = next();
      if (!message) throw std::runtime_error("the agent closed the connection");
      if (auto* wanted = std::get_if<T>(&*message)) return std::move(*wanted);
      if (std::holds_alternative<protocol::Ping>(*message)) {
        send(protocol::Pong{});
      } else {
        refuse_message(*message);
      }
    }
  }
  /// Reads until the agent closes. Throws where it says more than frames allow.
  std::vector<protocol::AgentMessage> drain();

  /// Starts a stage and follows it to its end, acknowledging as it goes.
  StageResult run(const protocol::Start& start);
  StageResult run(const std::string& script);
  /// After a START or ATTACH: STARTED, output from there, EXIT.
  StageResult follow();
  /// Output from here on and how the stage ends; acknowledges nothing.
  StageResult read_to_exit();
  /// Output until `marker` has been seen; acknowledges nothing.
  std::string read_until(std::string_view marker);

 private:
  [[noreturn]] static void refuse_message(const protocol::AgentMessage& message);

  int m_fd;
  protocol::AgentDecoder m_decoder{protocol::k_max_agent_payload};
};

/// A connection that has been greeted. Agent: anything with connect().
template <typename Agent>
AgentPeer greeted(const Agent& agent) {
  AgentPeer peer(agent.connect());
  peer.template expect<protocol::Hello>();
  return peer;
}

}  // namespace berth::tests
