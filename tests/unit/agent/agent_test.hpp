#pragma once

#include "tests/support/agent_peer.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::tests {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Waits for the end of a process of this machine that an agent started.
inline void await_end(pid_t pid) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0 && errno == ESRCH) return;
  if (handle < 0) throw std::runtime_error("pidfd_open");
  pollfd polled{handle, POLLIN, 0};
  const int ready = ::poll(&polled, 1, 60'000);
  ::close(handle);
  if (ready != 1) throw std::runtime_error("process " + std::to_string(pid) + " lives on");
}

inline bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

/// Both programs, one after the other: the first line of a case.
inline AgentBuild each_build() {
  const AgentBuild build = GENERATE(AgentBuild::real, AgentBuild::host);
  UNSCOPED_INFO((build == AgentBuild::real ? "berth-agent" : "berth_agent_host"));
  return build;
}

/// Options with more keys of BERTH_AGENT. Without a `tick` of theirs the agent wakes
/// for what happens alone, so one that misses an event is found out.
inline AgentOptions with(AgentBuild build, const std::string& keys = {}) {
  AgentOptions options;
  options.build = build;
  options.keys = keys.find("tick=") == std::string::npos ? "tick=1000000000;" + keys : keys;
  return options;
}

inline protocol::Start start_of(const std::string& script) {
  protocol::Start start;
  start.id = next_stage_id();
  start.umask = protocol::k_keep_umask;
  start.script = script;
  return start;
}

}  // namespace berth::tests
