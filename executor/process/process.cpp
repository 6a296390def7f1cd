#include "executor/process/process.hpp"

#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/error.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The one home of Boost.Process. It starts the child; pipes, waiting and ending
// are ours: its own limit_handles closes its pipes too (boostorg/process #193),
// and its exit_code() does not tell a signal from a code.
namespace berth::process {
namespace {

namespace bp = boost::process;
using Clock = std::chrono::steady_clock;
using support::Fd;

support::SystemError cannot_start(const std::string& program, const std::string& why) {
  return support::SystemError("cannot start program: '" + program + "': " + why);
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::string folder(rest.substr(0, colon));
    std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  throw cannot_start(name, "not found in PATH");
}

/// All of the input in memory: nothing has to be written while the child runs,
/// and a child that does not read it raises no SIGPIPE here.
Fd input_file(std::string_view input) {
  Fd file(::memfd_create("berth-stdin", MFD_CLOEXEC));
  if (!file) throw support::SystemError("memfd_create: " + support::errno_text(errno));
  support::write_all(file.get(), input, "standard input of a child");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw support::SystemError("pipe: " + support::errno_text(errno));
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Between fork and exec: only what is safe there.
void prepare_child(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
}

class Child {
 public:
  Child(const ProcessSpec& spec, const std::string& program, int in, int out, int err) {
    bp::environment environment = boost::this_process::environment();
    // Not operator[]: before Boost 1.76 it reads past the end of variables that are
    // shorter than the key.
    for (const auto& [key, value] : spec.env) environment.set(key, value);
    const std::vector<std::string> arguments(spec.argv.begin() + 1, spec.argv.end());
    const pid_t parent = ::getpid();
    std::error_code error;
    bp::child child(
        bp::exe = program, bp::args = arguments, environment, error,
        bp::posix::fd.bind(STDIN_FILENO, in), bp::posix::fd.bind(STDOUT_FILENO, out),
        bp::posix::fd.bind(STDERR_FILENO, err),
        bp::extend::on_exec_setup = [parent](auto&) { prepare_child(parent); });
    if (error) throw cannot_start(spec.argv.front(), error.message());
    m_pid = child.id();
    child.detach();
    m_pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, m_pid, 0)));
    if (!m_pidfd) {
      const std::string why = support::errno_text(errno);
      kill();
      reap();
      throw cannot_start(spec.argv.front(), "pidfd_open: " + why);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!m_reaped) {
      kill();
      reap();
    }
  }

  int pidfd() const { return m_pidfd.get(); }
  void kill() const {
    ::kill(-m_pid, SIGKILL);
    ::kill(m_pid, SIGKILL);
  }
  /// Waits for its end; the status of wait(2).
  int reap() {
    int status = 0;
    while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
    }
    m_reaped = true;
    return status;
  }

 private:
  pid_t m_pid = -1;
  Fd m_pidfd;
  bool m_reaped = false;
};

/// Collects one stream.
struct Capture {
  Fd fd;
  std::string bytes{};

  /// Takes what is there, and little more than `limit` in all: who writes faster
  /// than we read must not keep us here. False at the end of the stream.
  bool read(std::size_t limit) {
    std::array<char, 16384> buffer;
    while (bytes.size() <= limit) {
      const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
      if (count > 0) {
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
        if (static_cast<std::size_t>(count) < buffer.size()) return true;
      } else if (count == 0) {
        return false;
      } else if (errno != EINTR) {
        return errno == EAGAIN;
      }
    }
    return true;
  }
};

class BoostProcessRunner final : public ProcessRunner {
 public:
  ProcessResult run(const ProcessSpec& spec, std::stop_token stop) override;
};

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60000));
}

ProcessResult BoostProcessRunner::run(const ProcessSpec& spec, std::stop_token stop) {
  if (spec.argv.empty()) throw support::SystemError("cannot start program: no name");
  if (stop.stop_requested()) throw support::Cancelled();
  const std::string program = find_program(spec.argv.front());
  const Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) throw support::SystemError("eventfd: " + support::errno_text(errno));
  const std::stop_callback on_stop(stop, [&wake] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake.get(), &one, sizeof one);
  });
  const Fd input = input_file(spec.input.expose());
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Child child(spec, program, input.get(), out.write.get(), err.write.get());
  out.write.reset();
  err.write.reset();
  std::array<Capture, 2> captures{Capture{std::move(out.read)}, Capture{std::move(err.read)}};

  const Clock::time_point end = Clock::now() + spec.timeout;
  ProcessResult result;
  std::array<pollfd, 4> fds{pollfd{child.pidfd(), POLLIN, 0}, pollfd{wake.get(), POLLIN, 0},
                            pollfd{captures[0].fd.get(), POLLIN, 0},
                            pollfd{captures[1].fd.get(), POLLIN, 0}};
  // Until the child has ended: a grandchild may hold the pipes for ever.
  while (result.ended == ProcessResult::Ended::by_itself) {
    ::poll(fds.data(), fds.size(), milliseconds_until(end));
    if (stop.stop_requested()) throw support::Cancelled();
    const bool over = fds[0].revents != 0;
    for (std::size_t i = 0; i < captures.size(); ++i) {
      if (fds[i + 2].fd >= 0 && !captures[i].read(spec.max_output)) fds[i + 2].fd = -1;
      if (captures[i].bytes.size() > spec.max_output)
        result.ended = ProcessResult::Ended::output_limit;
    }
    if (over) break;
    if (Clock::now() >= end) result.ended = ProcessResult::Ended::timeout;
  }
  if (result.ended != ProcessResult::Ended::by_itself) child.kill();
  const int status = child.reap();
  if (result.ended == ProcessResult::Ended::by_itself) {
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  }
  result.output = support::Secret(std::move(captures[0].bytes));
  result.errors = std::move(captures[1].bytes);
  return result;
}

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner() {
  return std::make_unique<BoostProcessRunner>();
}

}  // namespace berth::process
