// Whom SIGNAL reaches.

#include "tests/unit/agent/agent_test.hpp"

#include <sstream>

using namespace berth;
using namespace berth::tests;

namespace {

/// The numbers in a text.
std::vector<pid_t> pids_in(const std::string& text) {
  std::istringstream in(text);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

}  // namespace

TEST_CASE("TERM reaches the foreground child, so that the shell can end") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  peer.send(start_of("trap 'exit 1' TERM\nsh -c 'echo ready; exec sleep infinity'\n"));
  peer.expect<protocol::Started>();
  peer.read_until("ready\n");
  peer.send(protocol::Signal{.number = SIGTERM});
  const auto exit = peer.read_to_exit().exit;
  REQUIRE(exit.kind == protocol::ExitKind::exited);
  REQUIRE(exit.status == 1);
}

TEST_CASE("KILL ends what ignores TERM, sessions of its own and orphans included") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  // A grandchild that ignores TERM, one in its own session, and a daemon twice forked away.
  peer.send(
      start_of("trap '' TERM\n"
               "( sleep infinity & echo $! ; wait ) &\n"
               "setsid sh -c 'echo $$; exec sleep infinity' &\n"
               "( ( sh -c 'echo $$; exec sleep infinity' & ) & )\n"
               "while :; do sleep 1; done\n"));
  peer.expect<protocol::Started>();
  std::string text;
  while (pids_in(text).size() < 3 || text.back() != '\n')
    text += peer.expect<protocol::Output>().bytes;
  peer.send(protocol::Signal{.number = SIGTERM});
  peer.send(protocol::Get{.tag = 1, .path = "/none"});
  peer.expect<protocol::FileReply>();
  for (const pid_t pid : pids_in(text)) REQUIRE(is_alive(pid));
  peer.send(protocol::Signal{.number = SIGKILL});
  const auto exit = peer.read_to_exit().exit;
  REQUIRE(exit.kind == protocol::ExitKind::signalled);
  REQUIRE(exit.status == SIGKILL);
  for (const pid_t pid : pids_in(text)) await_end(pid);
}

TEST_CASE("KILL leaves none of a crowd that forks on and on") {
  const AgentBuild build = each_build();
  if (!can_make_namespaces()) {
    WARN("not checked here: this user may not make PID namespaces");
    return;
  }
  // What the agent misses ends with its namespace, and each chain ends by itself.
  AgentOptions options = with(build);
  options.place = AgentPlace::below_first;
  const AgentProcess agent(options);
  AgentPeer peer = greeted(agent);
  // Slow enough that an agent on a busy machine has time to reap them.
  const std::string chain =
      "perl -e 'for (my $n = 0; $n < 20000; $n++) { fork and exit; select(undef, undef, undef, "
      "0.002) }'";
  const std::string own_session = GENERATE(as<std::string>(), "", "setsid ");
  // Each link starts the next and ends, some thousand times a second.
  REQUIRE(peer.run("for i in $(seq 1 12); do " + own_session + chain +
                   " >/dev/null 2>&1 & done; while [ $(sh -c 'echo $$') -lt 300 ]; do :; done")
              .exit.status == 0);
  // In this namespace nobody else takes process numbers: they tell of every fork.
  const std::string numbers = "for i in $(seq 1 30); do sh -c 'echo $$'; done";
  const auto are_consecutive = [&] {
    const std::vector<pid_t> pids = pids_in(peer.run(numbers).output);
    return pids.size() == 30 && pids.back() - pids.front() == 29;
  };
  REQUIRE_FALSE(are_consecutive());
  peer.send(protocol::Signal{.number = SIGKILL});
  REQUIRE(are_consecutive());
}

TEST_CASE("outside of a PID namespace of its own, SIGNAL spares what the agent did not start") {
  const AgentProcess agent(with(each_build()));
  const AgentProcess neighbour;
  AgentPeer other = greeted(neighbour);
  other.send(start_of("echo up; sleep infinity"));
  other.expect<protocol::Started>();
  other.read_until("up\n");
  AgentPeer peer = greeted(agent);
  peer.send(protocol::Signal{.number = SIGKILL});
  REQUIRE(peer.run("echo mine").output == "mine\n");
  REQUIRE(is_alive(neighbour.pid()));
  other.send(protocol::Get{.tag = 1, .path = "/none"});
  REQUIRE(other.expect<protocol::FileReply>().tag == 1);  // and no EXIT in front of it
}

TEST_CASE("as the first process it signals the whole namespace and reaps all") {
  const AgentBuild build = each_build();
  if (!can_make_namespaces()) {
    WARN("not checked here: this user may not make PID namespaces");
    return;
  }
  AgentOptions options = with(build);
  options.place = AgentPlace::first_process;
  AgentProcess agent(options);
  AgentPeer peer = greeted(agent);
  REQUIRE(peer.run("readlink /proc/self/../1/exe; ps -o ppid= -p $$").output ==
          agent_program(build) + "\n" + "      1\n");
  REQUIRE(peer.run("( ( setsid sleep infinity & ) & ); sleep infinity & true").exit.status == 0);
  peer.send(protocol::Signal{.number = SIGKILL});
  // Only the agent, the shell and ps are left.
  const StageResult left = peer.run("ps -e -o stat=,comm= | grep -v -e ps -e grep");
  REQUIRE_THAT(left.output, !ContainsSubstring("sleep") && !ContainsSubstring("Z"));
  agent.kill(SIGTERM);
  REQUIRE(agent.wait() == 0);
}
