#include "agent/launch.hpp"

#include "agent/options.hpp"
#include "agent/shells.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::agent {
namespace {

using protocol::RefusalReason;

/// A stage may write so much ahead of the agent.
constexpr int k_pipe_size = 1 << 20;

[[noreturn]] void fail(const char* what, int error = errno) {
  throw LaunchError(RefusalReason::cannot_start, std::string(what) + ": " + std::strerror(error));
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> merge_environment(std::vector<std::string> environment,
                                           const std::vector<std::string>& added) {
  for (const std::string& entry : added) {
    const bool if_absent = entry.starts_with('?');
    const std::string variable = entry.substr(if_absent ? 1 : 0);
    if (has_nul(variable) || variable.find('=') == std::string::npos || variable[0] == '=') {
      throw LaunchError(RefusalReason::cannot_start,
                        "environment: an entry is not of the form NAME=value");
    }
    const auto is_it = [&](const std::string& other) {
      return name_of(other) == name_of(variable);
    };
    if (if_absent && std::any_of(environment.begin(), environment.end(), is_it)) continue;
    std::erase_if(environment, is_it);
    environment.push_back(variable);
  }
  return environment;
}

/// A read-only descriptor of the script at offset 0: seekable, so that a shell
/// reads blocks, and sealed, so that no process of the stage changes it under way.
Fd make_script(const std::string& script) {
  Fd fd(::memfd_create("script", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) fail("memfd_create");
  std::string_view rest = script;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("script");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  Fd reopened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (reopened) return reopened;
  // No /proc: the seals hold all the same.
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) fail("script");
  return fd;
}

std::array<Fd, 2> make_pipe(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), flags) != 0) fail("pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::array<Fd, 2> make_output_pipe() {
  std::array<Fd, 2> ends = make_pipe(O_CLOEXEC);
  // Each end has its own flags: the stage's stays blocking.
  if (::fcntl(ends[0].get(), F_SETFL, O_NONBLOCK) != 0) fail("pipe");
  ::fcntl(ends[1].get(), F_SETPIPE_SZ, k_pipe_size);  // the kernel's own size does too
  // A script that changes its user may still open /dev/stdout.
  ::fchmod(ends[1].get(), 0622);
  return ends;
}

// --- between fork and exec ---

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Also those that the container's entrypoint left open.
void close_others_on_exec() {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory)) {
    const int fd = std::atoi(static_cast<const char*>(entry->d_name));
    if (fd > 2) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  ::closedir(directory);
}

/// A file that is not a shell for us, rather than a system that has no more room.
bool is_absence(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ENOEXEC ||
         error == ELOOP || error == EISDIR || error == ENAMETOOLONG;
}

struct Child {
  const std::vector<std::string>* shells;
  std::vector<char*> environment;
  int script;
  int output;
  int failure;
  mode_t umask;
  pid_t agent;
};

/// Returns errno of the shell that failed for a reason of its own, or of the last.
int execute_first(const Child& child) {
  int error = ENOENT;
  for (const std::string& shell : *child.shells) {
    const std::size_t slash = shell.rfind('/');
    std::string name = shell.substr(slash == std::string::npos ? 0 : slash + 1);
    std::array<char*, 2> arguments{name.data(), nullptr};
    ::execve(shell.c_str(), arguments.data(), child.environment.data());
    error = errno;
    if (!is_absence(error)) break;
  }
  return error;
}

[[noreturn]] void run_child(const Child& child) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The agent may have died before that call; inside a fresh PID namespace its
  // own id is what we see.
  if (::getppid() != child.agent) ::_exit(127);
  ::setsid();
  reset_signals();
  ::dup2(child.script, STDIN_FILENO);
  ::dup2(child.output, STDOUT_FILENO);
  ::dup2(child.output, STDERR_FILENO);
  close_others_on_exec();
  ::umask(child.umask);
  const int error = execute_first(child);
  (void)!::write(child.failure, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

std::vector<std::string> stage_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (name_of(*variable) != k_options_variable) variables.emplace_back(*variable);
  }
  return variables;
}

Launched launch(const protocol::Start& start, const Inherited& inherited) {
  const std::vector<std::string>& shells = start.shells.empty() ? shell_candidates() : start.shells;
  for (const std::string& shell : shells) {
    if (shell.empty() || shell[0] != '/' || has_nul(shell)) {
      throw LaunchError(RefusalReason::cannot_start, "shells: an absolute path is expected");
    }
  }
  std::vector<std::string> environment = merge_environment(inherited.environment, start.env);
  const Fd script = make_script(start.script);
  std::array<Fd, 2> output = make_output_pipe();
  std::array<Fd, 2> failure = make_pipe(O_CLOEXEC);

  Child child{
      .shells = &shells,
      .environment = {},
      .script = script.get(),
      .output = output[1].get(),
      .failure = failure[1].get(),
      .umask = start.umask == protocol::k_keep_umask ? inherited.umask : (start.umask & 0777U),
      .agent = ::getpid()};
  for (std::string& variable : environment) child.environment.push_back(variable.data());
  child.environment.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) run_child(child);
  failure[1].reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure[0].get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return {.pid = pid, .output = std::move(output[0])};  // closed by exec

  if (!is_absence(error)) fail("exec of the shell", error);
  std::string tried;
  for (const std::string& shell : shells) tried += (tried.empty() ? "" : ", ") + shell;
  throw LaunchError(RefusalReason::no_shell,
                    "no shell can be executed; tried " + tried + ": " + std::strerror(error));
}

}  // namespace berth::agent
