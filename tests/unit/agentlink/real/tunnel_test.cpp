// A relay, `berth-agent tunnel` and a real agent.

#include "agent/protocol/exit_codes.hpp"
#include "agent/protocol/frames.hpp"
#include "executor/agentlink/client.hpp"
#include "executor/agentlink/session.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/agentlink/tunnel_relay.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/real/tunnel_fixture.hpp"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace berth;
using namespace berth::tests;
using agentlink::AgentClient;

namespace {

constexpr std::chrono::seconds k_long{60};

agentlink::Waiter::TimePoint soon() {
  return std::chrono::steady_clock::now() + k_long;
}

std::string run(agentlink::Transport& way, const std::string& script) {
  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  request.start.script = script;
  Collected output;
  const auto status = agentlink::run_stage(way, request, output, {}, {});
  REQUIRE(status.success());
  return output.text;
}

}  // namespace

TEST_CASE("one tunnel carries one stage after another") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  const auto way = relay.way();
  for (int stage = 0; stage < 5; ++stage) {
    CHECK(run(*way, fmt::format("echo stage {}", stage)) == fmt::format("stage {}\n", stage));
  }
  CHECK(tunnel.made() == 1);
}

TEST_CASE("a tunnel takes more than any buffer both ways") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  const auto way = relay.way();
  const std::string comment = "#" + std::string(3 << 20, 'c') + "\n";
  const std::string output = run(*way, comment + "head -c 10000000 /dev/zero; echo end");
  CHECK(output.size() == 10000004);
  CHECK(output.ends_with("end\n"));
}

TEST_CASE("what the connection before left on its way does not reach the next") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  const auto way = relay.way();
  {
    // Its output fills every buffer on the way, and is not read.
    const support::Fd flood = relay.connect();
    protocol::Start start;
    start.id = agentlink::make_stage_id();
    start.umask = protocol::k_keep_umask;
    start.script = "head -c 4000000 /dev/zero";
    const std::string bytes = protocol::encode(protocol::DriverMessage(start));
    REQUIRE(::send(flood.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    pollfd readable{flood.get(), POLLIN, 0};
    REQUIRE(::poll(&readable, 1, 60'000) == 1);
  }
  CHECK(AgentClient::connect(*way, soon(), {}).hello().version == protocol::k_version);
  CHECK(tunnel.made() == 1);
}

TEST_CASE("a newer connection replaces the older") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  const auto way = relay.way();
  auto first = AgentClient::connect(*way, soon(), {});
  auto second = AgentClient::connect(*way, soon(), {});
  CHECK_THROWS_AS(first.get("/etc/passwd", {}), agentlink::ConnectionLost);
  CHECK_FALSE(second.get("/etc/passwd", {}).empty());
}

TEST_CASE("a tunnel that was killed is made anew, and the stage goes on") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  const auto way = relay.way();
  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  const auto fifo = agent.dir() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  request.start.script = "echo before; cat " + fifo.string() + "; exit 7";
  Collected output;
  output.on_bytes = [&](const std::string& text) {
    if (text != "before\n") return;
    tunnel.kill();
    std::thread([fifo] { std::ofstream(fifo) << "after\n"; }).detach();
  };
  const auto status = agentlink::run_stage(*way, request, output, {}, {});
  CHECK(std::get<core::Exited>(status.how).code == 7);
  CHECK(output.text == "before\nafter\n");
  CHECK(tunnel.made() == 2);
}

TEST_CASE("a relay whose agent has gone refuses, so that another way is taken") {
  AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  const auto way = relay.way();
  CHECK(run(*way, "echo here") == "here\n");
  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  request.start.script = "echo before; sleep 1000";
  Collected output;
  output.on_bytes = [&](const std::string&) {
    tunnel.fail_from_now_on();
    tunnel.kill();
  };
  try {
    agentlink::run_stage(*way, request, output, {}, {});
    FAIL("ended without an agent");
  } catch (const agentlink::AgentLost& lost) {
    CHECK(lost.kind() == agentlink::ConnectFailure::gone);
    CHECK(lost.start_sent());
    CHECK(lost.delivered() == 7);
  }
  relay.join();
}

TEST_CASE("a relay that loses its tunnel while nobody uses it ends") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  CHECK(run(*relay.way(), "echo here") == "here\n");
  tunnel.kill();
  relay.join();
}

TEST_CASE("before its first answer a relay tries again for each connection") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  tunnel.fail_next(3);
  RelayThread relay(tunnel);
  CHECK(AgentClient::connect(*relay.way(), soon(), {}).hello().version == protocol::k_version);
  CHECK(tunnel.asked() == 4);
}

TEST_CASE("a relay that nobody uses ends") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel, {.idle = std::chrono::milliseconds(1)});
  relay.join();
}

TEST_CASE("no relay of a job is idle while one of them is in use") {
  using TimePoint = agentlink::LastUse::TimePoint;
  const auto at = [](int seconds) { return TimePoint(std::chrono::seconds(seconds)); };
  agentlink::LastUse use(at(1));
  CHECK(use.idle_since(at(5)) == at(1));
  use.begin();
  use.begin();
  use.end(at(6));
  CHECK(use.idle_since(at(9)) == at(9));
  use.end(at(10));
  CHECK(use.idle_since(at(20)) == at(10));
}

TEST_CASE("a tunnel that goes silent is not waited for: the next way is") {
  const AgentProcess agent;
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel, {.answer = std::chrono::milliseconds(50)});
  const auto way = relay.way();
  CHECK(run(*way, "echo here") == "here\n");
  tunnel.stop();  // SIGSTOP: the connection is there, nothing comes
  CHECK_THROWS_AS(run(*way, "echo never"), agentlink::AgentLost);
  relay.join();
}

TEST_CASE("between two connections the agent has no driver") {
  AgentOptions options;
  options.keys = "orphan=300ms;tick=20";
  AgentProcess agent(options);
  TunnelProcesses tunnel(agent);
  RelayThread relay(tunnel);
  CHECK(run(*relay.way(), "echo here") == "here\n");
  // The tunnel stays, and the watchdog ends the agent all the same.
  const int status = agent.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == protocol::k_exit_orphaned);
}
