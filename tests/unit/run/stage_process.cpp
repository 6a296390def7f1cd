#include "tests/unit/run/stage_process.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::tests {
namespace {

constexpr int k_hangs_ms = 60000;

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (std::string& string : strings) all.push_back(string.data());
  all.push_back(nullptr);
  return all;
}

/// False at the end of the stream.
bool append_from(support::Fd& fd, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  if (got <= 0) fd.reset();
  return got > 0;
}

}  // namespace

StageProcess::StageProcess(const std::filesystem::path& program,
                           const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment, Stdout out) {
  std::array<int, 2> to_out{};
  std::array<int, 2> to_err{};
  if (::pipe2(to_out.data(), O_CLOEXEC) != 0 || ::pipe2(to_err.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("pipe");
  m_out = support::Fd(to_out[0]);
  m_err = support::Fd(to_err[0]);
  const support::Fd out_end(to_out[1]);
  const support::Fd err_end(to_err[1]);

  std::vector<std::string> argv{program.string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> envp;
  for (const auto& [key, value] : environment) envp.push_back(key + "=" + value);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (out == Stdout::pipe)
    ::posix_spawn_file_actions_adddup2(&actions, out_end.get(), STDOUT_FILENO);
  else
    ::posix_spawn_file_actions_addclose(&actions, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err_end.get(), STDERR_FILENO);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawn(&m_pid, argv[0].c_str(), &actions, &attributes,
                                  pointers(argv).data(), pointers(envp).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::runtime_error("cannot start " + argv[0]);
}

StageProcess::~StageProcess() {
  if (m_pid < 0) return;
  ::kill(-m_pid, SIGKILL);
  ::waitpid(m_pid, nullptr, 0);
}

bool StageProcess::read_some() {
  std::array<pollfd, 2> fds{pollfd{m_out.get(), POLLIN, 0}, pollfd{m_err.get(), POLLIN, 0}};
  if (!m_out && !m_err) return false;
  if (::poll(fds.data(), fds.size(), k_hangs_ms) <= 0)
    throw std::runtime_error("the stage hangs; stdout: " + m_output + "; stderr: " + m_errors);
  if (fds[0].revents != 0) append_from(m_out, m_output);
  if (fds[1].revents != 0) append_from(m_err, m_errors);
  return true;
}

void StageProcess::read_until(std::string_view word) {
  while (m_output.find(word) == std::string::npos)
    if (!read_some()) throw std::runtime_error("the stage ended early; stderr: " + m_errors);
}

void StageProcess::signal(int number) const {
  ::kill(-m_pid, number);
}

int StageProcess::wait() {
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(m_pid, &status, 0);
  m_pid = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace berth::tests
