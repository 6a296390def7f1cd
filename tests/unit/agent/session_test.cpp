// The rules of a session: once only, one driver, hostile frames.

#include "tests/unit/agent/agent_test.hpp"

using namespace berth;
using namespace berth::tests;
using protocol::RefusalReason;

TEST_CASE("START with the same id starts nothing and is answered with what is held") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const std::string count = (agent.dir() / "count").string();
  const protocol::Start start = start_of("echo x >> " + count + "; echo output; exit 6");
  const StageResult first = peer.run(start);
  REQUIRE(first.output == "output\n");
  peer.send(start);
  const auto started = peer.expect<protocol::Started>();
  REQUIRE(started.state == protocol::StageState::finished);
  REQUIRE(started.offset == 7);  // all was acknowledged
  REQUIRE(peer.expect<protocol::Exit>() == first.exit);
  REQUIRE(read_file(count) == "x\n");
}

TEST_CASE("START and ATTACH of a running stage follow it from where they ask") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const std::string gate = (agent.dir() / "gate").string();
  REQUIRE(peer.run("mkfifo " + gate).exit.status == 0);
  const protocol::Start start = start_of("echo 0123456789; cat " + gate + " >/dev/null; echo end");
  peer.send(start);
  REQUIRE(peer.expect<protocol::Started>().state == protocol::StageState::running);
  REQUIRE(peer.read_until("9\n") == "0123456789\n");

  AgentPeer second = greeted(agent);
  second.send(start);
  REQUIRE(second.expect<protocol::Started>() ==
          protocol::Started{start.id, protocol::StageState::running, 0});
  REQUIRE(second.read_until("9\n") == "0123456789\n");
  second.send(protocol::Ack{4});

  AgentPeer third = greeted(agent);
  third.send(protocol::Attach{.id = start.id, .offset = 3});
  REQUIRE(third.expect<protocol::Refused>().reason == RefusalReason::offset_forgotten);
  third.send(protocol::Attach{.id = start.id, .offset = 6});
  REQUIRE(third.expect<protocol::Started>().offset == 6);
  REQUIRE(third.read_until("9\n") == "6789\n");
  write_file(gate, "");
  REQUIRE(third.read_until("end\n") == "end\n");
  REQUIRE(third.expect<protocol::Exit>().length == 15);
}

TEST_CASE("a stage whose driver is gone gives way to the next one, with all it started") {
  const AgentProcess agent(with(each_build()));
  AgentPeer killed = greeted(agent);
  const std::string gate = (agent.dir() / "gate").string();
  REQUIRE(killed.run("mkfifo " + gate).exit.status == 0);
  killed.send(start_of("setsid sh -c 'echo $$ > " + gate + "; exec sleep 1000' & wait"));
  killed.expect<protocol::Started>();
  pid_t left = 0;
  std::ifstream(gate) >> left;
  REQUIRE(left > 0);

  AgentPeer next = greeted(agent);
  REQUIRE(next.run("echo next").output == "next\n");
  await_end(left);
}

TEST_CASE("another START on the same connection is refused until the stage's shell has ended") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const std::string gate = (agent.dir() / "gate").string();
  REQUIRE(peer.run("mkfifo " + gate).exit.status == 0);
  peer.send(start_of("echo running; cat " + gate + "; exit 1"));
  peer.expect<protocol::Started>();
  peer.read_until("running\n");
  peer.send(start_of("echo other"));
  REQUIRE(peer.expect<protocol::Refused>().reason == RefusalReason::busy);
  write_file(gate, "");
  REQUIRE(peer.expect<protocol::Exit>().status == 1);
  // Nothing of the first was acknowledged.
  REQUIRE(peer.run("echo other").output == "other\n");
}

TEST_CASE("a stage whose shell has ended gives way though its output was never taken") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const std::string gate = (agent.dir() / "gate").string();
  REQUIRE(peer.run("mkfifo " + gate).exit.status == 0);
  // The shell ends with the window and the pipe full.
  const protocol::Start first =
      start_of("head -c 8900000 /dev/zero; echo $$ > " + gate + "; read x < " + gate);
  peer.send(first);
  peer.expect<protocol::Started>();
  pid_t shell = 0;
  std::ifstream(gate) >> shell;
  const std::uint64_t sent = [&] {
    std::uint64_t offset = 0;
    while (offset < protocol::k_output_window)
      offset += peer.expect<protocol::Output>().bytes.size();
    return offset;
  }();
  REQUIRE(sent == protocol::k_output_window);
  write_file(gate, "go\n");
  await_end(shell);
  AgentPeer next = greeted(agent);
  REQUIRE(next.run("echo second").output == "second\n");
}

TEST_CASE("a newer connection replaces the older, whose half frame is forgotten") {
  const AgentProcess agent(with(each_build()));
  const std::string count = (agent.dir() / "count").string();
  const std::string frame =
      protocol::encode(protocol::DriverMessage(start_of("echo x >> " + count)));
  AgentPeer older = greeted(agent);
  older.send_raw(frame.substr(0, frame.size() - 1));
  AgentPeer newer = greeted(agent);
  REQUIRE(older.drain().empty());
  REQUIRE(newer.run("echo fresh").output == "fresh\n");
  REQUIRE_FALSE(std::filesystem::exists(count));
}

TEST_CASE("whole requests that a driver sent before it went are carried out") {
  const AgentProcess agent(with(each_build()));
  const auto file = agent.dir() / "left";
  AgentPeer older = greeted(agent);
  older.send(protocol::Put{.tag = 1,
                           .path = file.string(),
                           .mode = 0600,
                           .uid = protocol::k_keep_owner,
                           .gid = protocol::k_keep_owner,
                           .bytes = "by"});
  older.close();
  AgentPeer newer = greeted(agent);
  REQUIRE(newer.run("cat " + file.string()).output == "by");
}

TEST_CASE("after the driver closed its half, what it asked for is still answered") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  peer.send(protocol::Get{.tag = 9, .path = "/etc/passwd"});
  peer.shutdown_write();
  REQUIRE(peer.expect<protocol::FileReply>().tag == 9);
  REQUIRE_FALSE(peer.next());
}

TEST_CASE("frames that cannot be read are refused and end the connection, not the agent") {
  const AgentProcess agent(with(each_build()));
  std::string oversize = protocol::encode(protocol::DriverMessage(protocol::Pong{}));
  oversize[1] = oversize[2] = oversize[3] = oversize[4] = static_cast<char>(0xff);
  std::string trailing = protocol::encode(protocol::DriverMessage(protocol::Pong{}));
  trailing[4] = 1;
  trailing += 'x';
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(300000, '\0'), oversize, trailing,
        protocol::encode(protocol::AgentMessage(protocol::Ping{})),
        protocol::encode(protocol::DriverMessage(protocol::Ack{.offset = 1})),
        protocol::encode(protocol::DriverMessage(protocol::Signal{.number = 0})),
        protocol::encode(protocol::DriverMessage(protocol::Signal{.number = 200}))}) {
    AgentPeer peer = greeted(agent);
    try {
      peer.send_raw(garbage);
    } catch (const std::runtime_error&) {
      // It may close before all is sent.
    }
    const auto messages = peer.drain();
    REQUIRE(messages.size() == 1);
    REQUIRE(std::get<protocol::Refused>(messages[0]).reason == RefusalReason::bad_frame);
  }
  REQUIRE(greeted(agent).run("echo alive").output == "alive\n");
}

TEST_CASE("ACK and ATTACH beyond what was sent are refused") {
  const AgentProcess agent(with(each_build()));
  const protocol::Start start = start_of("echo 12345");
  REQUIRE(greeted(agent).run(start).output == "12345\n");
  for (const protocol::DriverMessage& message :
       std::vector<protocol::DriverMessage>{protocol::Attach{.id = start.id, .offset = 7},
                                            protocol::Attach{.id = start.id, .offset = ~0ull}}) {
    AgentPeer peer = greeted(agent);
    peer.send(message);
    REQUIRE(peer.expect<protocol::Refused>().reason == RefusalReason::bad_frame);
    REQUIRE_FALSE(peer.next());
  }
  AgentPeer peer = greeted(agent);
  peer.send(protocol::Attach{.id = start.id, .offset = 6});
  peer.expect<protocol::Started>();
  peer.expect<protocol::Exit>();
  peer.send(protocol::Ack{7});
  REQUIRE(peer.expect<protocol::Refused>().reason == RefusalReason::bad_frame);
}

TEST_CASE("a driver that asks for much and reads nothing does not fill the agent") {
  AgentOptions options = with(each_build());
  // Memory that was given back does not count.
  options.environment = {{"ASAN_OPTIONS", "quarantine_size_mb=1"}};
  const AgentProcess agent(options);
  const auto file = agent.dir() / "big";
  write_file(file, std::string(protocol::k_max_file, 'x'));
  AgentPeer peer = greeted(agent);
  std::string questions;
  constexpr std::uint32_t k_questions = 60;
  for (std::uint32_t tag = 0; tag < k_questions; ++tag) {
    questions += protocol::encode(protocol::DriverMessage(protocol::Get{tag, file.string()}));
  }
  peer.send_raw(questions);
  // In turn, so that it has answered all it will before it is read from.
  for (std::uint32_t tag = 0; tag < k_questions; ++tag) {
    REQUIRE(peer.expect<protocol::FileReply>().bytes.size() == protocol::k_max_file);
  }
  std::ifstream status("/proc/" + std::to_string(agent.pid()) + "/status");
  std::string key;
  std::uint64_t peak = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) peak = std::stoull(line.substr(6));
  }
  // All answers at once would be 240 MiB.
  REQUIRE(peak > 0);
  REQUIRE(peak < 120u << 10);
}

TEST_CASE("a silent driver is asked for signs of life and not dropped") {
  const AgentProcess agent(with(each_build(), "tick=10"));
  AgentPeer peer = greeted(agent);
  for (int i = 0; i < 10; ++i) {
    auto message = peer.next();
    REQUIRE(message);
    REQUIRE(std::holds_alternative<protocol::Ping>(*message));
  }
  REQUIRE(peer.run("echo still").output == "still\n");
}
