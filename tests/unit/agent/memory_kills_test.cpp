#include "agent/memory_kills.hpp"

#include "tests/support/catch.hpp"

using namespace berth::agent;

TEST_CASE("cgroup v2 with its own namespace: the mount itself") {
  const auto files = memory_kill_files(
      "0::/\n", "30 23 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n");
  REQUIRE(files.front() == "/sys/fs/cgroup/memory.events");
}

TEST_CASE("cgroup v2 without a namespace: the cgroup's path below the mount") {
  const auto files =
      memory_kill_files("0::/system.slice/docker-1.scope\n",
                        "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup rw\n");
  REQUIRE(files.front() == "/sys/fs/cgroup/system.slice/docker-1.scope/memory.events");
}

TEST_CASE("cgroup v1: the memory controller, with the part that is mounted taken away") {
  const std::string mounts =
      "29 23 0:24 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
      "31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro master:1 - cgroup cgroup rw,memory\n"
      "32 23 0:28 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n";
  REQUIRE(
      memory_kill_files("4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n0::/docker/abc\n", mounts)
          .front() == "/sys/fs/cgroup/memory/memory.oom_control");
  REQUIRE(memory_kill_files("3:memory:/docker/abc/in\n", mounts).front() ==
          "/sys/fs/cgroup/memory/in/memory.oom_control");
  // A name that only begins alike is another cgroup: the mount itself is next.
  REQUIRE(memory_kill_files("3:memory:/docker/abcd\n", mounts).front() ==
          "/sys/fs/cgroup/memory/memory.oom_control");
}

TEST_CASE("a path out of the namespace is not followed") {
  const auto files =
      memory_kill_files("0::/../other\n", "30 23 0:26 / /cg rw - cgroup2 cgroup rw\n");
  REQUIRE(files.front() == "/cg/memory.events");
}

TEST_CASE("without a mount the usual places are tried") {
  const auto files = memory_kill_files("", "garbage\n\n1 2\n");
  REQUIRE(files == std::vector<std::string>{"/sys/fs/cgroup/memory.events",
                                            "/sys/fs/cgroup/memory/memory.oom_control"});
}

TEST_CASE("the count is read from either file") {
  REQUIRE(parse_memory_kills("low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n") == 2);
  REQUIRE(parse_memory_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n") == 7);
  REQUIRE(parse_memory_kills("oom_kill_disable 1\n") == 0);
  REQUIRE(parse_memory_kills("") == 0);
}
