#pragma once

#include "executor/support/fd.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace berth::local::runner {

struct ChildOptions {
  /// argv; the first is the program, looked up in PATH when it has no slash.
  std::vector<std::string> arguments{};
  /// The whole environment, `KEY=value`; of a key that stands twice the last wins.
  std::vector<std::string> environment{};
  /// Working directory.
  std::filesystem::path directory = "/";
  /// Becomes stdin; -1 is /dev/null.
  int input = -1;
};

/// How a process ended.
struct ChildEnd {
  bool signalled = false;
  /// Exit code, or the signal's number.
  int code = 0;
  /// User and system time of the process and what it waited for.
  std::chrono::microseconds cpu{0};
};

/// A process in its own process group, its stdout and stderr on two pipes and
/// no other descriptor of ours inherited: as gitlab-runner starts its drivers.
/// The one place of `berth` that starts processes (posix_spawn). The destructor
/// closes the pipes and leaves the process alone.
class Child {
 public:
  /// Throws support::SystemError naming the program when it cannot be started.
  explicit Child(const ChildOptions& options);

  pid_t pid() const noexcept { return m_pid; }
  /// Readable when the process has ended; see reap().
  int end_fd() const noexcept { return m_pidfd.get(); }
  support::Fd& output() noexcept { return m_output; }
  support::Fd& errors() noexcept { return m_errors; }

  /// The end, if the process has ended. Does not block.
  std::optional<ChildEnd> reap();
  /// Blocks until the process has ended.
  ChildEnd wait();
  /// To the whole group. False when nobody took it.
  bool signal_group(int signal) const noexcept;

 private:
  pid_t m_pid = -1;
  support::Fd m_pidfd;
  support::Fd m_output;
  support::Fd m_errors;
  std::optional<ChildEnd> m_end{};
};

/// Runs a short command to its end and gives its stdout. Throws
/// support::SystemError with its stderr when it fails.
std::string run_for_output(const ChildOptions& options);
/// The same; nothing when the command fails.
std::optional<std::string> try_for_output(const ChildOptions& options);

}  // namespace berth::local::runner
