// How the agent starts, and when it ends its container.

#include "agent/protocol/exit_codes.hpp"
#include "tests/unit/agent/agent_test.hpp"

#include <ctime>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace berth;
using namespace berth::tests;

namespace {

/// A process of a stage that would live for ever. Its stage is over.
pid_t start_sleeper(AgentPeer& peer) {
  return std::stoi(peer.run("setsid sleep infinity >/dev/null 2>&1 & echo $!").output);
}

/// Bytes written beside the lease.
std::uintmax_t overfilled(const AgentProcess& agent) {
  std::uintmax_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(agent.dir())) {
    if (entry.path().filename().string().starts_with("lease-overfill-")) size += entry.file_size();
  }
  return size;
}

void require_ends(AgentProcess& agent, int code) {
  const int status = agent.wait();
  INFO(agent.log());
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == code);
}

}  // namespace

TEST_CASE("without arguments it serves too") {
  AgentOptions options = with(each_build());
  options.arguments.clear();
  const AgentProcess agent(options);
  REQUIRE(greeted(agent).run("echo served").output == "served\n");
}

TEST_CASE("the version names the protocol and other arguments are refused") {
  const AgentBuild build = each_build();
  AgentOptions options = with(build);
  options.await_socket = false;
  options.arguments = {"--version"};
  AgentProcess version(options);
  require_ends(version, 0);
  REQUIRE_THAT(version.log(), StartsWith("berth-agent ") && ContainsSubstring(" protocol 1\n"));
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"server"}, {"serve", "now"}, {"connect", "--run"}, {"-c", "x"}}) {
    options.arguments = wrong;
    AgentProcess refused(options);
    require_ends(refused, protocol::k_exit_usage);
    REQUIRE_THAT(refused.log(), ContainsSubstring("usage:"));
  }
}

TEST_CASE("options that cannot be read are named") {
  AgentOptions options = with(each_build(), "colour=red");
  options.await_socket = false;
  AgentProcess agent(options);
  require_ends(agent, protocol::k_exit_usage);
  REQUIRE(agent.log() == "berth-agent: BERTH_AGENT: colour: unknown key\n");
}

TEST_CASE("a socket that cannot be made is a clear message") {
  AgentOptions options = with(each_build(), "run=/proc/nowhere");
  options.await_socket = false;
  AgentProcess agent(options);
  require_ends(agent, protocol::k_exit_failed);
  REQUIRE_THAT(agent.log(), ContainsSubstring("'/proc/nowhere'"));
}

TEST_CASE("a directory on a read-only file system is a clear message") {
  AgentOptions options = with(each_build(), "run=/sys/kernel");
  options.await_socket = false;
  AgentProcess agent(options);
  require_ends(agent, protocol::k_exit_failed);
  REQUIRE_THAT(agent.log(), ContainsSubstring("cannot make the agent's socket in '/sys/kernel': "));
}

TEST_CASE("a second agent on the same directory gives way, a dead one's socket does not hinder") {
  const AgentBuild build = each_build();
  AgentProcess first(with(build));
  AgentOptions options = with(build, "run=" + first.run_dir().string());
  options.await_socket = false;
  AgentProcess second(options);
  require_ends(second, protocol::k_exit_failed);
  REQUIRE_THAT(second.log(), ContainsSubstring("another agent serves"));
  REQUIRE(greeted(first).run("echo first").output == "first\n");
  first.kill(SIGKILL);
  first.wait();
  REQUIRE(std::filesystem::exists(first.socket()));
  AgentProcess third(options);
  // Its own directory is another, so its socket is asked for until it is there.
  std::string output;
  while (output.empty()) {
    REQUIRE(is_alive(third.pid()));
    try {
      output = greeted(first).run("echo third").output;
    } catch (const std::runtime_error&) {
      // Not yet.
    }
  }
  REQUIRE(output == "third\n");
}

TEST_CASE("a run directory with a path longer than a socket's address works") {
  const TempDir base;
  const auto run = base.path() / std::string(100, 'r') / "run";
  AgentOptions options = with(each_build(), "run=" + run.string());
  options.await_socket = false;
  AgentProcess agent(options);
  options.arguments = {"connect"};
  // connect finds it by the same variable; its stdin is empty, so it ends after HELLO.
  for (;;) {
    AgentProcess joined(options);
    if (joined.wait() == 0) {
      REQUIRE(static_cast<unsigned char>(joined.log().at(0)) == 0x81);
      break;
    }
    REQUIRE(is_alive(agent.pid()));
  }
}

TEST_CASE("the socket is open to every user, the container's umask notwithstanding") {
  const mode_t before = ::umask(0077);
  const AgentProcess agent(with(each_build()));
  ::umask(before);
  REQUIRE((std::filesystem::status(agent.socket()).permissions() ==
           static_cast<std::filesystem::perms>(0666)));
}

TEST_CASE("SIGTERM ends every process and the agent at once") {
  const int number = GENERATE(SIGTERM, SIGINT, SIGQUIT, SIGHUP);
  AgentProcess agent(with(AgentBuild::host, "overfill=1000"));
  AgentPeer peer = greeted(agent);
  const pid_t sleeper = start_sleeper(peer);
  peer.send(start_of("trap '' TERM INT QUIT HUP; echo up; while :; do sleep 1; done"));
  peer.expect<protocol::Started>();
  peer.read_until("up\n");
  agent.kill(number);
  require_ends(agent, protocol::k_exit_done);
  await_end(sleeper);
  REQUIRE(overfilled(agent) == 0);
}

TEST_CASE("SIGKILL of the agent takes the stage's shell with it") {
  AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  peer.send(start_of("echo $$; while :; do read -t 1 x; done </dev/zero"));
  peer.expect<protocol::Started>();
  const pid_t shell = std::stoi(peer.read_until("\n"));
  agent.kill(SIGKILL);
  agent.wait();
  await_end(shell);
}

TEST_CASE("an agent without a driver ends its container after the orphan time") {
  AgentProcess agent(with(each_build(), "tick=10;orphan=300ms;overfill=1000"));
  AgentPeer peer = greeted(agent);
  const pid_t sleeper = start_sleeper(peer);
  peer.close();
  require_ends(agent, protocol::k_exit_orphaned);
  await_end(sleeper);
  REQUIRE_THAT(agent.log(), ContainsSubstring("no driver"));
  REQUIRE(overfilled(agent) == 1000);
}

TEST_CASE("a driver that answers keeps the container, one that only holds on does not") {
  AgentProcess agent(with(each_build(), "tick=10;orphan=300ms"));
  AgentPeer peer = greeted(agent);
  for (int i = 0; i < 60; ++i) {
    peer.expect<protocol::Ping>();
    peer.send(protocol::Pong{});
  }
  REQUIRE(std::filesystem::exists(agent.dir() / "lease"));
  REQUIRE(is_alive(agent.pid()));
  require_ends(agent, protocol::k_exit_orphaned);  // no more PONGs, the connection stays
}

TEST_CASE("the deadline ends the container under a driver that is alive") {
  const std::string deadline = "deadline=" + std::to_string(std::time(nullptr) + 3);
  AgentProcess agent(with(each_build(), "tick=10;" + deadline));
  AgentPeer peer = greeted(agent);
  peer.send(start_of("sleep infinity"));
  while (auto message = peer.next()) {
    if (std::holds_alternative<protocol::Ping>(*message)) {
      try {
        peer.send(protocol::Pong{});
      } catch (const std::runtime_error&) {
        break;  // it is gone
      }
    }
  }
  require_ends(agent, protocol::k_exit_deadline);
}

TEST_CASE("two agents share a lease: the one that is idle lives by the other's driver") {
  const AgentBuild build = each_build();
  const TempDir shared;
  const std::string keys = "tick=10;orphan=300ms;lease=" + (shared.path() / "lease").string();
  AgentProcess busy(with(build, keys));
  AgentProcess idle(with(build, keys));
  AgentPeer peer = greeted(busy);
  for (int i = 0; i < 90; ++i) {
    peer.expect<protocol::Ping>();
    peer.send(protocol::Pong{});
  }
  REQUIRE(is_alive(idle.pid()));
  REQUIRE(greeted(idle).run("echo lives").output == "lives\n");
  peer.close();
  require_ends(busy, protocol::k_exit_orphaned);
  require_ends(idle, protocol::k_exit_orphaned);
}
