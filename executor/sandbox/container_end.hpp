#pragma once

#include <cstddef>
#include <string>

/// How a container came to its end, in words. Pure.
namespace berth::sandbox {

struct ContainerEnd {
  /// False: nobody knows such a container (somebody removed it).
  bool exists = false;
  bool started = false;
  bool oom_killed = false;
  int exit_code = 0;
  /// The engine's words where its first process could not be started.
  std::string error{};
  /// Last lines of its log, without trailing line ends; may be empty.
  std::string log{};
  bool operator==(const ContainerEnd&) const = default;
};

/// How much of a container's log a job log can bear.
inline constexpr unsigned k_log_lines = 30;
inline constexpr std::size_t k_log_bytes = std::size_t{8} << 10;

/// "ended with exit code 1", "ended with exit code 137: out of memory",
/// "was removed by somebody else", ... One line, for a sentence after the
/// container's name.
std::string explain(const ContainerEnd& end);

/// A log without the line ends and blanks behind it.
std::string trimmed_log(std::string text);

/// The log, each line indented, with a line of introduction; empty where there
/// is no log. Begins with a line end.
std::string quote_log(const std::string& log);

}  // namespace berth::sandbox
