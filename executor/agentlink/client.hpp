#pragma once

#include "agent/protocol/messages.hpp"
#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/support/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::agentlink {

class Connection;

/// The connection was closed, or no answer came in time. Asking anew on another
/// connection may help.
class ConnectionLost : public support::SystemError {
 public:
  using support::SystemError::SystemError;
};

/// Short questions to one agent, for prepare and for tools. One thread.
///
/// Every call throws ConnectionLost where the agent is lost (nothing is retried
/// once connected), support::SystemError where it breaks the protocol or refuses,
/// and support::Cancelled when stop was requested.
class AgentClient {
 public:
  using TimePoint = Waiter::TimePoint;

  /// Connects and waits for HELLO, trying again with backoff until `deadline`:
  /// `temporary` failures, and `gone` too, since a container that has just been
  /// started has no socket yet. Throws ConnectError{absent} or {hostile} at
  /// once, ConnectError{gone} or {temporary} at the deadline.
  /// The transport and the waiter must outlive the client.
  static AgentClient connect(Transport& transport, TimePoint deadline, std::stop_token stop,
                             Waiter& waiter = system_waiter());

  AgentClient(AgentClient&&) noexcept;
  AgentClient& operator=(AgentClient&&) noexcept;
  ~AgentClient();

  /// What the agent said of itself.
  const protocol::Hello& hello() const noexcept;

  struct ProbeResult {
    bool answered = false;
    /// The last attempt's words where not answered.
    std::string text;
    bool operator==(const ProbeResult&) const = default;
  };
  /// Asks whether the targets answer, again every `interval`, at most for
  /// `limit`. One result per target, in their order; `decided` (may be empty) is
  /// told of each as it falls.
  std::vector<ProbeResult> probe(
      std::span<const protocol::ProbeTarget> targets, std::chrono::milliseconds limit,
      std::chrono::milliseconds interval, std::stop_token stop,
      const std::function<void(std::size_t, const ProbeResult&)>& decided = {});

  struct PutOptions {
    std::uint32_t mode = 0600;
    std::uint32_t uid = protocol::k_keep_owner;
    std::uint32_t gid = protocol::k_keep_owner;
  };
  /// Writes a file of at most protocol::k_max_file bytes in the container.
  /// Throws support::SystemError with errno's words where it cannot.
  void put(const std::string& path, std::string_view bytes, const PutOptions& options,
           std::stop_token stop);

  /// A small file of the container. Throws support::SystemError as put().
  std::string get(const std::string& path, std::stop_token stop);

  /// Sends a signal to every process of the container but the agent. Not answered.
  void signal(std::uint8_t number, std::stop_token stop);

 private:
  AgentClient(std::unique_ptr<Connection> connection, protocol::Hello hello, Waiter& waiter);
  protocol::FileReply await_file(std::uint32_t tag, std::stop_token stop);

  std::unique_ptr<Connection> m_connection;
  protocol::Hello m_hello;
  Waiter* m_waiter;
  std::uint32_t m_tag = 0;
};

}  // namespace berth::agentlink
