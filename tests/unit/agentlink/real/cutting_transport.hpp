#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/waiter.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace berth::tests {

/// Bytes after which a connection is cut; nothing: never. Counted per connection.
struct CutAt {
  /// From the driver to the agent: the agent gets exactly so many.
  std::optional<std::size_t> down;
  /// From the agent to the driver.
  std::optional<std::size_t> up;
};

/// Stands between the driver and a real agent, and cuts connections at an exact
/// byte of either direction: what was on its way behind that byte is lost.
class CuttingTransport final : public agentlink::Transport {
 public:
  /// `plan` is asked for each connection, from 0.
  CuttingTransport(agentlink::Transport& inner, std::function<CutAt(unsigned connection)> plan)
      : m_inner(inner), m_plan(std::move(plan)) {}

  std::unique_ptr<agentlink::Stream> connect(std::chrono::steady_clock::time_point deadline,
                                             std::stop_token stop) override;
  std::string describe() const override { return "cut " + m_inner.describe(); }

  unsigned connections() const { return m_connections; }
  unsigned cuts() const { return *m_cuts; }

 private:
  agentlink::Transport& m_inner;
  std::function<CutAt(unsigned)> m_plan;
  unsigned m_connections = 0;
  std::shared_ptr<unsigned> m_cuts = std::make_shared<unsigned>(0);
};

/// Waits for descriptors as ever, but lets the pauses between two attempts to
/// connect pass at once.
class HastyWaiter final : public agentlink::Waiter {
 public:
  TimePoint now() const override { return agentlink::system_waiter().now() + m_skipped; }
  void wait(std::span<pollfd> fds, TimePoint until) override;

 private:
  std::chrono::steady_clock::duration m_skipped{};
};

}  // namespace berth::tests
