#pragma once

#include "agent/protocol/tunnel.hpp"
#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/support/fd.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace berth::agentlink {

/// Since when nobody has had a use for any of a job's relays; shared by their threads.
class LastUse {
 public:
  using TimePoint = Waiter::TimePoint;

  explicit LastUse(TimePoint now) : m_at(now.time_since_epoch().count()) {}
  void begin() noexcept { ++m_users; }
  void end(TimePoint now) noexcept {
    m_at = now.time_since_epoch().count();
    --m_users;
  }
  /// `now` while a connection is open.
  TimePoint idle_since(TimePoint now) const noexcept {
    return m_users > 0 ? now : TimePoint(TimePoint::duration(m_at));
  }

 private:
  std::atomic<int> m_users = 0;
  std::atomic<TimePoint::rep> m_at;
};

struct RelayLimits {
  /// To make the tunnel; also from OPEN to the agent's first byte.
  std::chrono::milliseconds answer{10000};
  /// Without any connection to any relay.
  std::chrono::milliseconds idle{std::chrono::minutes(15)};
};

/// Serves a unix socket whose connections end at one agent: each is carried through
/// one long-lived Stream of `berth-agent tunnel`, a newer one replaces the older.
///
/// It only saves time: a tunnel that is lost while it carries a connection is made anew
/// for the next one (a cancel's KILL reaches the tunnel's process too); where that fails,
/// or it is lost while nobody uses it, the relay ends and its socket refuses: who comes
/// then goes another way. A container that is only just starting, no connection of which
/// ever got an answer, may be tried again. One thread.
class TunnelRelay {
 public:
  /// `tunnel`: each connect() gives a Stream that begins with READY; outlives the relay.
  /// `listener`: listens, O_NONBLOCK.
  TunnelRelay(Transport& tunnel, support::Fd listener, LastUse& last_use, RelayLimits limits,
              Waiter& waiter = system_waiter());

  /// Returns when stop is requested, the agent is out of reach, or nobody came for `idle`.
  void run(std::stop_token stop);

 private:
  using TimePoint = Waiter::TimePoint;

  bool step(const StopSignal& stop);
  bool welcome(support::Fd client, const StopSignal& stop);
  void lose_tunnel();
  bool read_tunnel();
  void take(protocol::TunnelFrame frame);
  void read_client();
  bool write_tunnel();
  void write_client();
  void forget_client();
  void tell(protocol::TunnelKind kind, std::string bytes);
  TimePoint next_deadline() const;

  Transport& m_tunnel;
  support::Fd m_listener;
  LastUse& m_last_use;
  const RelayLimits m_limits;
  Waiter& m_waiter;

  std::unique_ptr<Stream> m_stream;
  protocol::TunnelDecoder m_decoder;
  support::Fd m_client;
  std::uint32_t m_connection = 0;
  TimePoint m_opened{};
  /// This connection has heard of its agent; some connection has.
  bool m_answered = false;
  bool m_worked = false;
  /// The agent has closed: the client is let go when it has what is on its way.
  bool m_closing = false;
  std::string m_up;
  std::string m_down;
};

}  // namespace berth::agentlink
