// `berth-agent connect`: standard streams joined to the socket.

#include "agent/protocol/exit_codes.hpp"
#include "tests/unit/agent/agent_test.hpp"

#include <array>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

using namespace berth;
using namespace berth::tests;

namespace {

/// `connect` with one socket as both its streams.
struct Joined {
  pid_t pid = -1;
  int fd = -1;

  int wait() const {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

Joined join(AgentBuild build, const std::string& run, const std::string& log) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  std::string program = agent_program(build);
  std::string command = "connect";
  std::string option = "--run";
  std::string value = run;
  std::array<char*, 5> arguments{program.data(), command.data(), option.data(), value.data(),
                                 nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  Joined joined{.pid = -1, .fd = ends[0]};
  std::array<char*, 1> environment{nullptr};
  REQUIRE(::posix_spawn(&joined.pid, program.c_str(), &actions, nullptr, arguments.data(),
                        environment.data()) == 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  return joined;
}

}  // namespace

TEST_CASE("a stage through connect, with more than any buffer in both directions") {
  const AgentBuild build = each_build();
  const AgentProcess agent(with(build));
  const Joined joined = join(build, agent.run_dir().string(), (agent.dir() / "err").string());
  {
    AgentPeer peer(joined.fd);
    peer.expect<protocol::Hello>();
    const std::string comment = "#" + std::string(3 << 20, 'c') + "\n";
    const StageResult result = peer.run(comment + "head -c 10000000 /dev/zero; echo end; exit 3");
    REQUIRE(result.output.size() == 10000004);
    REQUIRE(result.exit.status == 3);
    peer.send(protocol::Get{.tag = 5, .path = "/etc/passwd"});
    peer.shutdown_write();
    REQUIRE(peer.expect<protocol::FileReply>().tag == 5);
    REQUIRE_FALSE(peer.next());
  }
  REQUIRE(joined.wait() == protocol::k_exit_done);
}

TEST_CASE("connect ends with the agent") {
  const AgentBuild build = each_build();
  AgentProcess agent(with(build));
  const Joined joined = join(build, agent.run_dir().string(), (agent.dir() / "err").string());
  AgentPeer peer(joined.fd);
  peer.expect<protocol::Hello>();
  agent.kill(SIGKILL);
  REQUIRE_FALSE(peer.next());
  REQUIRE(joined.wait() == protocol::k_exit_done);
}

TEST_CASE("connect ends with its driver") {
  const AgentBuild build = each_build();
  const AgentProcess agent(with(build));
  const Joined joined = join(build, agent.run_dir().string(), (agent.dir() / "err").string());
  AgentPeer(joined.fd).expect<protocol::Hello>();
  REQUIRE(joined.wait() == protocol::k_exit_done);
}

TEST_CASE("connect is not ended by the TERM that a cancelled stage gets") {
  const AgentBuild build = each_build();
  const AgentProcess agent(with(build));
  const Joined joined = join(build, agent.run_dir().string(), (agent.dir() / "err").string());
  AgentPeer peer(joined.fd);
  peer.expect<protocol::Hello>();
  REQUIRE(::kill(joined.pid, SIGTERM) == 0);
  REQUIRE(peer.run("echo through").output == "through\n");
  peer.close();
  REQUIRE(joined.wait() == protocol::k_exit_done);
}

TEST_CASE("connect without an agent says so by words and exit code") {
  const AgentBuild build = each_build();
  const TempDir dir;
  const std::string log = (dir.path() / "err").string();
  const Joined none = join(build, (dir.path() / "none").string(), log);
  REQUIRE(none.wait() == protocol::k_exit_nobody);
  ::close(none.fd);
  REQUIRE(read_file(log) == "berth-agent: cannot connect to '" + (dir.path() / "none").string() +
                                "/agent.sock': No such file or directory\n");
  AgentProcess dead(with(build));
  dead.kill(SIGKILL);
  dead.wait();
  const Joined refused = join(build, dead.run_dir().string(), log);
  REQUIRE(refused.wait() == protocol::k_exit_nobody);
  ::close(refused.fd);
  REQUIRE_THAT(read_file(log), ContainsSubstring("Connection refused"));
}
