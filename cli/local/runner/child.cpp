#include "cli/local/runner/child.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <set>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::local::runner {
namespace {

using support::Fd;
using support::SystemError;

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw SystemError(fmt::format("cannot make a pipe: {}", support::errno_text(errno)));
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// Go's os/exec keeps the last value of a key, at its place.
std::vector<std::string> last_values(const std::vector<std::string>& environment) {
  std::set<std::string_view> seen;
  std::vector<std::string> result;
  for (auto entry = environment.rbegin(); entry != environment.rend(); ++entry) {
    const std::string_view key = std::string_view(*entry).substr(0, entry->find('='));
    if (seen.insert(key).second) result.push_back(*entry);
  }
  return {result.rbegin(), result.rend()};
}

class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

Child::Child(const ChildOptions& options) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  SpawnSetup setup;
  if (options.input >= 0) {
    ::posix_spawn_file_actions_adddup2(&setup.actions, options.input, 0);
  } else {
    ::posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  }
  ::posix_spawn_file_actions_adddup2(&setup.actions, out.write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&setup.actions, err.write.get(), 2);
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, 3);
  ::posix_spawn_file_actions_addchdir_np(&setup.actions, options.directory.c_str());

  const std::vector<std::string> environment = last_values(options.environment);
  const int error =
      ::posix_spawnp(&m_pid, options.arguments.front().c_str(), &setup.actions, &setup.attributes,
                     pointers(options.arguments).data(), pointers(environment).data());
  if (error != 0) {
    throw SystemError(fmt::format("cannot start a program: \"{}\": {}", options.arguments.front(),
                                  support::errno_text(error)));
  }
  m_pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, m_pid, 0)));
  if (!m_pidfd) {
    throw SystemError(
        fmt::format("cannot watch a process: {}: {}", m_pid, support::errno_text(errno)));
  }
  ::fcntl(m_pidfd.get(), F_SETFD, FD_CLOEXEC);
  m_output = std::move(out.read);
  m_errors = std::move(err.read);
}

std::optional<ChildEnd> Child::reap() {
  if (m_end) return m_end;
  int status = 0;
  rusage usage{};
  if (::wait4(m_pid, &status, WNOHANG, &usage) != m_pid) return std::nullopt;
  const auto micros = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  m_end = ChildEnd{.signalled = WIFSIGNALED(status),
                   .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                   .cpu = micros(usage.ru_utime) + micros(usage.ru_stime)};
  return m_end;
}

ChildEnd Child::wait() {
  for (;;) {
    if (const auto end = reap()) return *end;
    pollfd polled{end_fd(), POLLIN, 0};
    ::poll(&polled, 1, -1);
  }
}

bool Child::signal_group(int signal) const noexcept {
  return ::kill(-m_pid, signal) == 0;
}

namespace {

/// Both pipes to their ends; a pipe that is closed leaves its string as it is.
void read_all(Child& child, std::string& output, std::string& errors) {
  char buffer[16384];
  while (child.output() || child.errors()) {
    pollfd polled[2] = {{child.output().get(), POLLIN, 0}, {child.errors().get(), POLLIN, 0}};
    if (::poll(polled, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i) {
      if (polled[i].revents == 0) continue;
      Fd& fd = i == 0 ? child.output() : child.errors();
      const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
      if (got > 0) {
        (i == 0 ? output : errors).append(buffer, static_cast<std::size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        fd.reset();
      }
    }
  }
}

}  // namespace

std::string run_for_output(const ChildOptions& options) {
  Child child(options);
  std::string output;
  std::string errors;
  read_all(child, output, errors);
  const ChildEnd end = child.wait();
  if (end.signalled || end.code != 0) {
    while (!errors.empty() && errors.back() == '\n') errors.pop_back();
    std::string command;
    for (const std::string& word : options.arguments)
      command += (command.empty() ? "" : " ") + word;
    throw SystemError(fmt::format("a command failed: \"{}\": {} {}: {}", command,
                                  end.signalled ? "signal" : "exit code", end.code, errors));
  }
  return output;
}

std::optional<std::string> try_for_output(const ChildOptions& options) {
  try {
    return run_for_output(options);
  } catch (const SystemError&) {
    return std::nullopt;
  }
}

}  // namespace berth::local::runner
