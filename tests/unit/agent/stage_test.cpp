// How a stage's process is started, and how its end is told.

#include "tests/unit/agent/agent_test.hpp"

#include <algorithm>
#include <sys/stat.h>

using namespace berth;
using namespace berth::tests;

TEST_CASE("every exit code arrives as it is") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  for (int code = 0; code < 256; ++code) {
    const StageResult result = peer.run("exit " + std::to_string(code));
    if (result.exit.kind != protocol::ExitKind::exited || result.exit.status != code) {
      FAIL("exit code " << code << " arrived as " << int{result.exit.status});
    }
  }
}

TEST_CASE("a shell ended by a signal is told apart from an exit code") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  for (const int number : {SIGKILL, SIGTERM, SIGSEGV, SIGHUP, SIGPIPE}) {
    const StageResult result = peer.run("kill -" + std::to_string(number) + " $$");
    REQUIRE(result.exit.kind == protocol::ExitKind::signalled);
    REQUIRE(result.exit.status == number);
  }
}

TEST_CASE("the shell is bash by its bare name, no login shell, with the script as seekable stdin") {
  const AgentProcess agent(with(each_build()));
  const StageResult result = greeted(agent).run(
      "echo $0\nshopt -q login_shell || echo plain\nreadlink /proc/$$/fd/0\n"
      "grep -i '^flags' /proc/$$/fdinfo/0\n");
  REQUIRE(result.output == "bash\nplain\n/memfd:script (deleted)\nflags:\t0100000\n");
}

TEST_CASE("the script cannot be changed while it runs") {
  const AgentProcess agent(with(each_build()));
  const StageResult result = greeted(agent).run(
      "{ echo 'echo forged' > /proc/$$/fd/0; } 2>/dev/null || echo sealed\necho end\n");
  REQUIRE(result.output == "sealed\nend\n");
}

TEST_CASE("a script of 8 MiB runs to its last line") {
  const AgentProcess agent(with(each_build()));
  std::string script = "x=0\n";
  const std::string line = "#" + std::string(1022, 'a') + "\n";
  while (script.size() < (8u << 20)) script += line;
  script += "echo end\nexit 7\n";
  const StageResult result = greeted(agent).run(script);
  REQUIRE(result.output == "end\n");
  REQUIRE(result.exit.status == 7);
}

TEST_CASE("a command that reads stdin does not eat the script where it is told /dev/null") {
  const AgentProcess agent(with(each_build()));
  const StageResult result =
      greeted(agent).run("{ read -t 5 x; echo $?; } </dev/null\ncat </dev/null\necho end\n");
  REQUIRE(result.output == "1\nend\n");
}

TEST_CASE("the umask is the container's unless START says another") {
  const mode_t before = ::umask(0027);
  const AgentProcess agent(with(each_build()));
  ::umask(before);
  AgentPeer peer = greeted(agent);
  REQUIRE(peer.run("umask").output == "0027\n");
  protocol::Start start = start_of("umask");
  start.umask = 0;
  REQUIRE(peer.run(start).output == "0000\n");
  start.id = next_stage_id();
  start.umask = 0077;
  REQUIRE(peer.run(start).output == "0077\n");
}

TEST_CASE("the environment is the container's without the agent's own, with START's on top") {
  AgentOptions options = with(each_build());
  options.environment = {{"KEPT", "one"}, {"CHANGED", "old"}};
  const AgentProcess agent(options);
  AgentPeer peer = greeted(agent);
  protocol::Start start =
      start_of("echo $KEPT $CHANGED $ADDED ${BERTH_AGENT-none}\nenv | grep -c ^CHANGED=");
  start.env = {"CHANGED=new", "ADDED=a=b c"};
  REQUIRE(peer.run(start).output == "one new a=b c none\n1\n");
  start.id = next_stage_id();
  start.env = {"?CHANGED=new", "?ADDED=only where it is not"};
  REQUIRE(peer.run(start).output == "one old only where it is not none\n1\n");
  for (const std::string& bad :
       {std::string("NOVALUE"), std::string("=x"), std::string("A=\0b", 4)}) {
    start.id = next_stage_id();
    start.env = {bad};
    peer.send(start);
    REQUIRE(peer.expect<protocol::Refused>().reason == protocol::RefusalReason::cannot_start);
  }
}

TEST_CASE(
    "a stage starts in the container's directory with three descriptors and default signals") {
  const TempDir elsewhere;
  AgentOptions options = with(each_build());
  options.working_directory = elsewhere.path();
  const AgentProcess agent(options);
  AgentPeer peer = greeted(agent);
  REQUIRE(peer.run("pwd -P").output ==
          std::filesystem::canonical(elsewhere.path()).string() + "\n");
  // ls and the glob's own directory would add a descriptor: the shell's are named one by one.
  REQUIRE(peer.run("for f in $(seq 0 40); do [ -e /proc/$$/fd/$f ] && [ $f != 255 ] && echo $f; "
                   "done; true")
              .output == "0\n1\n2\n");
  protocol::Start start = start_of("grep -E '^Sig(Blk|Ign)' /proc/self/status");
  start.shells = {"/bin/sh"};
  REQUIRE(peer.run(start).output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  REQUIRE(peer.run("[ $(ps -o sid= -p $$) = $$ ] && [ $(ps -o pgid= -p $$) = $$ ] && echo own")
              .output == "own\n");
}

TEST_CASE("the shells of START are tried in order, past what cannot be executed") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  write_file(agent.dir() / "plain", "not a program");
  protocol::Start start = start_of("echo $0");
  start.shells = {(agent.dir() / "none").string(), (agent.dir() / "plain").string(),
                  agent.dir().string(), "/bin/sh", "/bin/bash"};
  REQUIRE(peer.run(start).output == "sh\n");
}

TEST_CASE("an image without a shell is refused by name, and another stage may follow") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  protocol::Start start = start_of("true");
  start.shells = {(agent.dir() / "bash").string(), (agent.dir() / "sh").string()};
  peer.send(start);
  const auto refused = peer.expect<protocol::Refused>();
  REQUIRE(refused.reason == protocol::RefusalReason::no_shell);
  REQUIRE_THAT(refused.text,
               ContainsSubstring(start.shells[0]) && ContainsSubstring(start.shells[1]));
  peer.send(protocol::Attach{.id = start.id, .offset = 0});
  REQUIRE(peer.expect<protocol::Refused>().reason == protocol::RefusalReason::unknown_stage);
  REQUIRE(peer.run("exit 3").exit.status == 3);
}

TEST_CASE("HELLO tells who the agent is and which shells it found") {
  const AgentProcess agent(with(each_build()));
  AgentPeer first(agent.connect());
  const auto hello = first.expect<protocol::Hello>();
  REQUIRE(hello.version == protocol::k_version);
  REQUIRE(hello.uid == ::geteuid());
  REQUIRE(hello.gid == ::getegid());
  REQUIRE_FALSE(hello.arch.empty());
  REQUIRE_FALSE(hello.shells.empty());
  REQUIRE_THAT(hello.shells.front(), Catch::Matchers::EndsWith("/bash"));
  AgentPeer again(agent.connect());
  REQUIRE(again.expect<protocol::Hello>() == hello);
  const AgentProcess other;
  REQUIRE(AgentPeer(other.connect()).expect<protocol::Hello>().nonce != hello.nonce);
}
