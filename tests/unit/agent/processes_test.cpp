#include "agent/processes.hpp"

#include "tests/support/catch.hpp"

using namespace berth::agent;

TEST_CASE("a process's name does not mislead the reading of its state") {
  Process process;
  REQUIRE(parse_stat("12 (a) S 7) (b) R 3 11 10 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 998877 5 6\n",
                     process));
  REQUIRE(process == Process{12, 3, 11, 10, 998877});
  REQUIRE_FALSE(parse_stat("", process));
  REQUIRE_FALSE(parse_stat("12", process));
  REQUIRE_FALSE(parse_stat("12 (sh) S", process));
  REQUIRE_FALSE(parse_stat("x (sh) S 1", process));
  REQUIRE_FALSE(parse_stat("12 (sh) S x 1 1", process));
}

TEST_CASE("descendants are found in any order, and nobody else") {
  const std::vector<Process> all{{40, 30, 1, 1, 1}, {1, 0, 1, 1, 1},  {30, 20, 1, 1, 1},
                                 {20, 10, 1, 1, 1}, {10, 1, 1, 1, 1}, {11, 1, 1, 1, 1},
                                 {21, 11, 1, 1, 1}, {2, 0, 1, 1, 1}};
  std::vector<pid_t> pids;
  for (const Process& process : descendants(10, all)) pids.push_back(process.pid);
  std::sort(pids.begin(), pids.end());
  REQUIRE(pids == std::vector<pid_t>{20, 30, 40});
  REQUIRE(descendants(99, all).empty());
}

TEST_CASE("a circle in a torn snapshot ends") {
  const std::vector<Process> all{{5, 6, 1, 1, 1}, {6, 5, 1, 1, 1}, {7, 7, 1, 1, 1}};
  REQUIRE(descendants(5, all) == std::vector<Process>{{6, 5, 1, 1, 1}});
}
