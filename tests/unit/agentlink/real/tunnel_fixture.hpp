#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/agentlink/tunnel_relay.hpp"
#include "executor/core/backend.hpp"
#include "tests/support/agent_process.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>

namespace berth::tests {

struct Collected final : core::OutputSink {
  void write(std::string_view bytes) override {
    text += bytes;
    if (on_bytes) on_bytes(text);
  }
  std::string text;
  std::function<void(const std::string&)> on_bytes;
};

/// Where a job would have execs of `berth-agent tunnel`: processes of this machine.
class TunnelProcesses final : public agentlink::Transport {
 public:
  explicit TunnelProcesses(const AgentProcess& agent) : m_run(agent.run_dir()) {}
  ~TunnelProcesses() override { kill(); }

  std::unique_ptr<agentlink::Stream> connect(std::chrono::steady_clock::time_point deadline,
                                             std::stop_token stop) override;
  std::string describe() const override { return "tunnel"; }

  int asked() const { return m_asked; }
  int made() const { return m_made; }
  void fail_next(int times) { m_failures = times; }
  void fail_from_now_on() { m_failures = 1'000'000; }
  /// The one that was made last.
  void kill();
  void stop();

 private:
  const std::filesystem::path m_run;
  std::mutex m_mutex;
  pid_t m_pid = -1;
  std::atomic<int> m_asked = 0;
  std::atomic<int> m_made = 0;
  std::atomic<int> m_failures = 0;
};

/// A relay at work, with its socket in a directory of its own.
class RelayThread {
 public:
  explicit RelayThread(agentlink::Transport& tunnel, agentlink::RelayLimits limits = {});

  std::unique_ptr<agentlink::Transport> way() const;
  /// A connection that is not spoken on.
  support::Fd connect() const;
  /// Until it has ended by itself.
  void join() { m_thread.join(); }

 private:
  TempDir m_dir;
  agentlink::LastUse m_last_use{std::chrono::steady_clock::now()};
  agentlink::TunnelRelay m_relay;
  std::jthread m_thread;
};

}  // namespace berth::tests
