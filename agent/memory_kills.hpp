#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::agent {

/// Files that may hold this container's count, best first, from the texts of
/// /proc/self/cgroup and /proc/self/mountinfo: memory.events of cgroup v2 or
/// memory.oom_control of v1, with or without a cgroup namespace.
std::vector<std::string> memory_kill_files(std::string_view cgroup, std::string_view mountinfo);

/// The number after "oom_kill" in such a file; 0 where it has none.
std::uint64_t parse_memory_kills(std::string_view text);

/// Counts the processes of this container that the kernel killed for want of
/// memory. Where the kernel does not tell, the count stays 0.
class MemoryKills {
 public:
  MemoryKills();
  std::uint64_t count() const;

 private:
  std::string m_file;
};

}  // namespace berth::agent
