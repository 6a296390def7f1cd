#pragma once

#include "tests/support/temp_dir.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace berth::tests {

/// The agent programs of this build.
enum class AgentBuild {
  real,  ///< bin/berth-agent: static, as it stands in a container
  host,  ///< the same sources with the build's sanitizers
};

/// Path of the program. Set by CMake for whoever links berth_test_agent_process.
std::string agent_program(AgentBuild build);

/// Where the agent stands among the processes of this machine.
enum class AgentPlace {
  beside,         ///< as any child of the test
  first_process,  ///< first of a PID namespace of its own, with its own /proc
  below_first,    ///< child of a first process that only waits: nothing it starts outlives it
};

struct AgentOptions {
  AgentBuild build = AgentBuild::real;
  std::vector<std::string> arguments{"serve"};
  /// More keys of BERTH_AGENT: "tick=20;orphan=300ms". `run` and `lease` are set
  /// to files below dir() unless given here. No deadline unless given.
  std::string keys;
  /// Added to the environment of the agent.
  std::map<std::string, std::string> environment;
  /// Working directory of the agent; empty: dir().
  std::filesystem::path working_directory;
  AgentPlace place = AgentPlace::beside;
  /// Return without waiting for the socket (the agent is expected to fail).
  bool await_socket = true;
};

/// Whether PID namespaces can be made here: by root, or where users may too.
bool can_make_namespaces();

/// A real agent on a fresh directory, ended with all it started. Never reaches
/// another process of this machine: outside of a PID namespace of its own the
/// agent signals its descendants only. Dies with the thread that made it.
class AgentProcess {
 public:
  /// Starts it and waits until it listens. Throws std::runtime_error with what it
  /// wrote to stderr where it ends before that.
  explicit AgentProcess(const AgentOptions& options = {});
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  /// SIGTERM, on which an agent ends all its processes, then SIGKILL.
  ~AgentProcess();

  const std::filesystem::path& dir() const { return m_dir.path(); }
  /// Holds agent.sock.
  std::filesystem::path run_dir() const { return dir() / "run"; }
  std::filesystem::path socket() const { return run_dir() / "agent.sock"; }
  /// The agent as this machine sees it; with below_first, the process above it.
  pid_t pid() const { return m_pid; }

  /// A new blocking connection; the caller owns the descriptor (O_CLOEXEC).
  int connect() const;

  void kill(int signal) const;
  /// Waits until it has ended: a wait status as of waitpid(2). Throws after
  /// a limit that only a hanging agent reaches.
  int wait();
  /// What it has written to stdout and stderr so far.
  std::string log() const;

 private:
  void await_socket();

  TempDir m_dir;
  AgentPlace m_place;
  pid_t m_pid = -1;
  /// Ours to wait for: the agent, or what made its namespaces.
  pid_t m_child = -1;
  std::optional<int> m_status;
};

}  // namespace berth::tests
