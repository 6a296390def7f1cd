#pragma once

#include <cstdint>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace berth::agent {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  /// Clock ticks since boot: with the pid it names one process for good.
  std::uint64_t started = 0;
  bool operator==(const Process&) const = default;
};

/// Reads the text of /proc/<pid>/stat. Returns false where it is not one.
bool parse_stat(std::string_view text, Process& process);

/// Those that `root` started, and all that they started.
std::vector<Process> descendants(pid_t root, const std::vector<Process>& all);

/// Signals every process of the container but this one, if this is the first of
/// its PID namespace; else every descendant of this one and nothing more (it is a
/// subreaper, so no orphan escapes), each once, until none is new. SIGKILL goes to
/// their process groups too, which no fork outruns. Who forks in groups of its own
/// may still escape one call: call again while there are children.
void signal_all(int number);

}  // namespace berth::agent
