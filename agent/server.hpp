#pragma once

#include "agent/connection.hpp"
#include "agent/launch.hpp"
#include "agent/listener.hpp"
#include "agent/memory_kills.hpp"
#include "agent/notes.hpp"
#include "agent/options.hpp"
#include "agent/prober.hpp"
#include "agent/stage.hpp"
#include "agent/watchdog.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <poll.h>
#include <vector>

namespace berth::agent {

/// `berth-agent serve`: one thread, one loop. Keeps the rules of
/// protocol/messages.hpp; everything it waits for is a descriptor or a time.
class Server {
 public:
  /// Listens, and becomes the parent of its descendants' orphans. Throws
  /// std::runtime_error where it cannot.
  Server(const Options& options, Inherited inherited);

  /// Serves until the container has to end; every process it may reach is killed
  /// then. Returns an exit code of protocol/exit_codes.hpp.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  void wait();
  void handle_signals();
  /// Waits for what has ended. True: there are children that live.
  bool reap();
  /// SIGKILL to all, until none is left or for a second: what hangs in the kernel
  /// ends when that lets it go.
  void kill_all();
  void drain_strays();
  void accept_driver();
  void serve_driver();
  void tick();
  void pump();

  void dispatch(const protocol::DriverMessage& message);
  void handle(const protocol::Start& start);
  void handle(const protocol::Attach& attach);
  void handle(const protocol::Ack& ack);
  void handle(const protocol::Signal& signal);
  void handle(const protocol::Probe& probe);
  void handle(const protocol::Put& put);
  void handle(const protocol::Get& get);
  void handle(const protocol::Pong& pong);

  void attach_at(std::uint64_t offset);
  void drop_driver();
  void end(int code, const char* why);

  std::chrono::milliseconds m_tick_length;
  Inherited m_inherited;
  std::array<std::uint8_t, 16> m_nonce{};
  MemoryKills m_memory_kills;
  std::uint64_t m_memory_kills_before = 0;
  Watchdog m_watchdog;
  Fd m_signals;
  Listener m_listener;

  std::optional<Connection> m_driver;
  /// The driver follows the stage's output, and has been sent it up to here.
  bool m_attached = false;
  std::uint64_t m_sent = 0;
  bool m_exit_sent = false;

  std::optional<Stage> m_stage;
  /// Pipes of stages that are over: late writers still need a reader.
  std::vector<Fd> m_strays;
  Prober m_prober;
  Notes m_notes;

  Clock::time_point m_next_tick;
  std::vector<pollfd> m_polled;
  std::optional<int> m_exit_code;
};

}  // namespace berth::agent
