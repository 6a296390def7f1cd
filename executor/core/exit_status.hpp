#pragma once

#include <string>
#include <variant>

namespace berth::core {

/// How a stage's script ended. A value, never an exception: a failing script is
/// a result of the job, not an error of ours.
struct Exited {
  int code = 0;
  bool operator==(const Exited&) const = default;
};
struct Signalled {
  int number = 0;
  bool operator==(const Signalled&) const = default;
};

struct ExitStatus {
  std::variant<Exited, Signalled> how = Exited{};
  /// Processes of the container the kernel killed for want of memory meanwhile.
  unsigned oom_kills = 0;

  bool success() const;
  /// What goes into BUILD_EXIT_CODE_FILE: the code, or 128 + signal.
  int build_exit_code() const;
  bool operator==(const ExitStatus&) const = default;
};

/// One line for the job log that says why a failed stage failed, where more is
/// known than its code (killed by a signal, out of memory); empty otherwise.
std::string explain(const ExitStatus& status);

}  // namespace berth::core
