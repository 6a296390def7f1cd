#pragma once

#include "agent/fd.hpp"
#include "agent/protocol/messages.hpp"

#include <chrono>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace berth::agent {

/// Asks addresses whether they answer, many at once, beside everything else.
class Prober {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Takes up a PROBE; one with a tag that is under way replaces it.
  void add(const protocol::Probe& probe, TimePoint now);
  /// Forgets all: their driver is gone.
  void clear() { m_targets.clear(); }

  /// Appends what is to be polled.
  void collect(std::vector<pollfd>& fds) const;
  /// `fds` are those that collect() appended. Returns what has been decided.
  std::vector<protocol::Probed> step(const pollfd* fds, TimePoint now);
  /// When step() is due even if nothing can be read or written.
  std::optional<TimePoint> due() const;

 private:
  struct Target {
    enum class State { waiting, connecting, asked, decided };

    std::uint32_t tag = 0;
    std::uint32_t index = 0;
    std::string request;  // empty: a connection is answer enough
    sockaddr_storage address{};
    socklen_t length = 0;
    std::chrono::milliseconds interval{};
    TimePoint deadline;

    State state = State::waiting;
    Fd socket;
    TimePoint next;     // of the next attempt
    TimePoint give_up;  // of this attempt
    std::string reply;
    std::string error;
    bool answered = false;
  };

  static Target make_target(const protocol::Probe& probe, std::uint32_t index, TimePoint now);
  static void step_target(Target& target, short events, TimePoint now);
  static void attempt(Target& target, TimePoint now);
  static void connected(Target& target, TimePoint now);
  static void read_reply(Target& target, TimePoint now);
  static void decide(Target& target, bool answered);
  static void retry(Target& target, const std::string& error, TimePoint now);

  std::vector<Target> m_targets;
};

}  // namespace berth::agent
