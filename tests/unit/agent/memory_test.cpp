// A process that the kernel kills for want of memory is told with the stage's end.

#include "tests/unit/agent/agent_test.hpp"

#include <fstream>
#include <optional>
#include <sstream>

using namespace berth;
using namespace berth::tests;

namespace {

/// A memory cgroup (v1) of 64 MiB that this process is in for a while, so that what it
/// starts meanwhile stays there.
class MemoryGroup {
 public:
  /// Nothing where this user may not make one.
  static std::optional<std::filesystem::path> make() {
    const std::filesystem::path root = "/sys/fs/cgroup/memory";
    const auto group = root / own_path().substr(1) / ("berth-test-" + std::to_string(::getpid()));
    std::error_code error;
    if (own_path().empty() || !std::filesystem::create_directory(group, error)) return std::nullopt;
    write_file(group / "memory.limit_in_bytes", "67108864");
    write_file(group / "memory.memsw.limit_in_bytes", "67108864");  // where swap is counted
    if (read_file(group / "memory.limit_in_bytes") != "67108864\n") {
      std::filesystem::remove(group, error);
      return std::nullopt;
    }
    return group;
  }

  explicit MemoryGroup(std::filesystem::path group)
      : m_group(std::move(group)), m_home(m_group.parent_path()) {}
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  ~MemoryGroup() {
    leave();
    std::error_code ignored;
    std::filesystem::remove(m_group, ignored);
  }
  void enter() const { write_file(m_group / "cgroup.procs", std::to_string(::getpid())); }
  void leave() const { write_file(m_home / "cgroup.procs", std::to_string(::getpid())); }

 private:
  static std::string own_path() {
    std::istringstream lines(read_file("/proc/self/cgroup"));
    for (std::string line; std::getline(lines, line);) {
      const std::size_t at = line.find(":memory:");
      if (at != std::string::npos) return line.substr(at + 8);
    }
    return {};
  }

  std::filesystem::path m_group;
  std::filesystem::path m_home;
};

}  // namespace

TEST_CASE("processes killed for want of memory are counted, for their stage only") {
  const auto made = MemoryGroup::make();
  if (!made) {
    WARN("not checked here: no memory cgroup (v1) that this user may divide");
    return;
  }
  const MemoryGroup group(*made);
  group.enter();
  // Not the sanitized one: its own memory would be the largest in the group.
  std::optional<AgentProcess> agent(with(AgentBuild::real));
  group.leave();
  {
    AgentPeer peer = greeted(*agent);
    REQUIRE(peer.run("true").exit.oom_kills == 0);
    // tail holds a line that has no end.
    const StageResult killed = peer.run("tail -n 1 /dev/zero; echo status $?");
    REQUIRE_THAT(killed.output, ContainsSubstring("status 137"));
    REQUIRE(killed.exit.oom_kills == 1);
    REQUIRE(killed.exit.status == 0);
    REQUIRE(peer.run("true").exit.oom_kills == 0);
  }
  agent.reset();
}
