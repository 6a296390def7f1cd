// `berth-agent install`: a copy of the program where other containers find it.

#include "agent/protocol/exit_codes.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/agent/agent_test.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace berth;
using namespace berth::tests;

namespace {

int run_install(AgentBuild build, const std::string& directory) {
  std::string program = agent_program(build);
  std::string command = "install";
  std::string argument = directory;
  std::array<char*, 4> arguments{program.data(), command.data(), argument.data(), nullptr};
  pid_t pid = -1;
  REQUIRE(::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("install: the whole program, executable for all, in place of what was there") {
  const AgentBuild build = GENERATE(AgentBuild::real, AgentBuild::host);
  const TempDir folder;
  const std::string path = (folder.path() / "berth-agent").string();
  const std::string victim = (folder.path() / "victim").string();
  std::ofstream(victim) << "untouched";
  REQUIRE(::symlink(victim.c_str(), path.c_str()) == 0);
  std::ofstream(path + ".new") << "of an earlier try";
  for (int time = 0; time < 2; ++time) {
    CHECK(run_install(build, folder.path().string()) == protocol::k_exit_done);
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    CHECK(S_ISREG(info.st_mode));
    CHECK((info.st_mode & 07777) == 0555);
    CHECK(content(path) == content(agent_program(build)));
    CHECK(::access((path + ".new").c_str(), F_OK) != 0);
  }
  CHECK(content(victim) == "untouched");
}

TEST_CASE("install: no directory, no agent") {
  const AgentBuild build = GENERATE(AgentBuild::real, AgentBuild::host);
  const TempDir folder;
  CHECK(run_install(build, (folder.path() / "none").string()) == protocol::k_exit_failed);
}
