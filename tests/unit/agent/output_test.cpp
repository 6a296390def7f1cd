// What a stage writes reaches the driver byte by byte.

#include "tests/unit/agent/agent_test.hpp"

using namespace berth;
using namespace berth::tests;

namespace {

/// FNV-1a, as a checksum that the test computes on what it expects and on what came.
struct Sum {
  std::uint64_t value = 14695981039346656037u;
  void add(std::string_view bytes) {
    for (const char c : bytes) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
};

}  // namespace

TEST_CASE("stdout and stderr arrive in the order they were written") {
  const AgentProcess agent(with(each_build()));
  std::string expected;
  for (int i = 0; i < 500; ++i)
    expected += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
  REQUIRE(
      greeted(agent).run("for i in $(seq 0 499); do echo out $i; echo err $i >&2; done").output ==
      expected);
}

TEST_CASE("binary output and a line of 1 MiB are not touched") {
  const AgentProcess agent(with(each_build()));
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  write_file(agent.dir() / "binary", all + std::string(1 << 20, 'x') + all);
  REQUIRE(greeted(agent).run("cat " + (agent.dir() / "binary").string()).output ==
          read_file(agent.dir() / "binary"));
}

TEST_CASE("100 MB arrive whole through a driver that is slow to acknowledge") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  peer.send(start_of("seq 1 12700000 | head -c 100000000"));
  REQUIRE(peer.expect<protocol::Started>().state == protocol::StageState::running);
  Sum came;
  std::uint64_t offset = 0;
  std::uint64_t acknowledged = 0;
  for (;;) {
    auto message = peer.next();
    REQUIRE(message);
    if (const auto* output = std::get_if<protocol::Output>(&*message)) {
      if (output->offset != offset) FAIL("a gap at " << offset);
      if (output->bytes.size() > protocol::k_max_output_chunk) FAIL("a frame too long");
      offset += output->bytes.size();
      came.add(output->bytes);
      if (offset > acknowledged + protocol::k_output_window) FAIL("more than the window");
      // Only when the agent has nothing more that it may send.
      if (offset == acknowledged + protocol::k_output_window || offset == 100000000) {
        acknowledged = offset;
        peer.send(protocol::Ack{offset});
      }
    } else if (const auto* exit = std::get_if<protocol::Exit>(&*message)) {
      REQUIRE(exit->length == 100000000);
      break;
    }
  }
  REQUIRE(offset == 100000000);
  Sum expected;
  std::string line;
  for (std::uint64_t left = offset, i = 1; left > 0; ++i) {
    line = std::to_string(i) + "\n";
    line.resize(std::min<std::size_t>(line.size(), static_cast<std::size_t>(left)));
    expected.add(line);
    left -= line.size();
  }
  REQUIRE(came.value == expected.value);
}

TEST_CASE("a full window blocks the script, not the agent") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const protocol::Start start = start_of("head -c 20000000 /dev/zero; echo end; exit 5");
  peer.send(start);
  peer.expect<protocol::Started>();
  std::uint64_t offset = 0;
  while (offset < protocol::k_output_window) offset += peer.expect<protocol::Output>().bytes.size();
  REQUIRE(offset == protocol::k_output_window);
  // It answers other questions meanwhile.
  peer.send(protocol::Get{.tag = 1, .path = "/no/such/file"});
  REQUIRE(peer.expect<protocol::FileReply>().error == ENOENT);
  // A new driver gets the same bytes, and then the rest.
  AgentPeer next = greeted(agent);
  next.send(protocol::Attach{.id = start.id, .offset = 0});
  const StageResult result = next.follow();
  REQUIRE(result.output == std::string(20000000, '\0') + "end\n");
  REQUIRE(result.exit.status == 5);
}

TEST_CASE("the end of the shell ends the stage, whoever still holds its output") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const StageResult result = peer.run("echo one\nsleep infinity &\necho $!\nexit 4");
  REQUIRE(result.exit.status == 4);
  REQUIRE_THAT(result.output, StartsWith("one\n"));
  // It lives on into the next stage.
  const pid_t sleeper = std::stoi(result.output.substr(4));
  REQUIRE(peer.run("kill -0 " + std::to_string(sleeper)).exit.status == 0);
  REQUIRE(is_alive(sleeper));
}

TEST_CASE("all that stood in the pipe at the end of the shell is delivered") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  for (int i = 0; i < 50; ++i) {
    const StageResult result = peer.run("sleep infinity & head -c 700000 /dev/zero; echo end");
    REQUIRE(result.output.size() == 700004);
    peer.send(protocol::Signal{.number = SIGKILL});
  }
}

TEST_CASE("late writers meet a reader that takes and drops what they write") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const std::string gate = (agent.dir() / "gate").string();
  const std::string done = (agent.dir() / "done").string();
  REQUIRE(peer.run("mkfifo " + gate + " " + done).exit.status == 0);
  // Writes more than a pipe holds, after its stage is over, and tells how it went.
  const StageResult first =
      peer.run("( cat " + gate + " >/dev/null; head -c 5000000 /dev/zero; echo $? > " + done +
               " ) & echo first");
  REQUIRE(first.output == "first\n");
  const StageResult second = peer.run("echo go > " + gate + "; cat " + done);
  REQUIRE(second.output == "0\n");
}

TEST_CASE("a script that closes its output still tells how it ends") {
  const AgentProcess agent(with(each_build()));
  const StageResult result = greeted(agent).run("echo seen\nexec >&- 2>&-\nexit 9");
  REQUIRE(result.output == "seen\n");
  REQUIRE(result.exit.status == 9);
}

TEST_CASE("/dev/stdout can be opened again, by another user too") {
  const AgentProcess agent(with(each_build()));
  REQUIRE(greeted(agent).run("echo one > /dev/stdout; echo two > /proc/self/fd/2").output ==
          "one\ntwo\n");
  if (::geteuid() == 0) {
    REQUIRE(greeted(agent)
                .run("setpriv --reuid 65534 --clear-groups sh -c 'echo three > /dev/stderr'")
                .output == "three\n");
  }
}
