#include "tests/unit/agentlink/real/tunnel_fixture.hpp"

#include "executor/agentlink/socket_transport.hpp"
#include "executor/support/files.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <spawn.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace berth::tests {
namespace {

constexpr const char* k_directory = "job";

support::Fd listen_below(const std::filesystem::path& folder) {
  std::filesystem::create_directory(folder / k_directory);
  return agentlink::listen_at(folder / k_directory / "agent.sock");
}

}  // namespace

std::unique_ptr<agentlink::Stream> TunnelProcesses::connect(std::chrono::steady_clock::time_point,
                                                            std::stop_token) {
  ++m_asked;
  if (m_failures > 0) {
    --m_failures;
    throw agentlink::ConnectError(agentlink::ConnectFailure::temporary, "not now");
  }
  kill();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::runtime_error("socketpair");
  support::Fd ours(ends[0]);
  const support::Fd theirs(ends[1]);
  std::string program = agent_program(AgentBuild::host);
  std::string command = "tunnel";
  std::string option = "--run";
  std::string value = m_run.string();
  std::array<char*, 5> arguments{program.data(), command.data(), option.data(), value.data(),
                                 nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
  std::array<char*, 1> environment{nullptr};
  const std::lock_guard guard(m_mutex);
  if (::posix_spawn(&m_pid, program.c_str(), &actions, nullptr, arguments.data(),
                    environment.data()) != 0)
    throw std::runtime_error("posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  ++m_made;
  return agentlink::make_socket_stream(std::move(ours));
}

void TunnelProcesses::kill() {
  const std::lock_guard guard(m_mutex);
  if (m_pid < 0) return;
  ::kill(m_pid, SIGKILL);
  ::waitpid(m_pid, nullptr, 0);
  m_pid = -1;
}

void TunnelProcesses::stop() {
  const std::lock_guard guard(m_mutex);
  ::kill(m_pid, SIGSTOP);
}

RelayThread::RelayThread(agentlink::Transport& tunnel, agentlink::RelayLimits limits)
    : m_relay(tunnel, listen_below(m_dir.path()), m_last_use, limits),
      m_thread([this](const std::stop_token& stop) { m_relay.run(stop); }) {}

std::unique_ptr<agentlink::Transport> RelayThread::way() const {
  return agentlink::make_socket_transport(m_dir.path() / k_directory);
}

support::Fd RelayThread::connect() const {
  support::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (m_dir.path() / k_directory / "agent.sock").string();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("connect: " + support::errno_text(errno));
  return socket;
}

}  // namespace berth::tests
