#include "tests/unit/stages/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::tests {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Child::Child(const std::string& program, const std::vector<std::string>& arguments,
             const Environment& environment) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> entries;
  for (const auto& [key, value] : environment) entries.push_back(key + "=" + value);
  // LeakSanitizer cannot look into a process that is traced or short of rights.
  entries.emplace_back("ASAN_OPTIONS=detect_leaks=0");

  std::array<int, 2> output{};
  std::array<int, 2> errors{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0 || ::pipe2(errors.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe");
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors[1], 2);
  const int error = ::posix_spawn(&m_pid, program.c_str(), &actions, nullptr,
                                  pointers(words).data(), pointers(entries).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(output[1]);
  ::close(errors[1]);
  m_output = output[0];
  m_errors = errors[0];
  if (error != 0) throw std::runtime_error("cannot start " + program);
}

Child::~Child() {
  if (m_pid > 0) {
    ::kill(m_pid, SIGKILL);
    ::waitpid(m_pid, nullptr, 0);
  }
  close_output();
  if (m_errors >= 0) ::close(m_errors);
}

std::string Child::read_line() {
  std::string line;
  char c = 0;
  while (::read(m_output, &c, 1) == 1) {
    line += c;
    if (c == '\n') break;
  }
  return line;
}

void Child::close_output() {
  if (m_output >= 0) ::close(m_output);
  m_output = -1;
}

Child::Result Child::wait() {
  Result result;
  // What the stages print is far below a pipe's size: one after the other is safe.
  if (m_output >= 0) result.output = read_all(m_output);
  result.errors = read_all(m_errors);
  int status = 0;
  while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
  }
  m_pid = -1;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result;
}

}  // namespace berth::tests
