#include "executor/agentlink/client.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
using agentlink::AgentClient;
using agentlink::ConnectError;
using agentlink::ConnectFailure;
using support::SystemError;

namespace {

struct Fixture {
  FakeTransport transport;
  std::stop_source stop;

  Fixture() {
    transport.on_connect = [](AgentEnd& end) {
      protocol::Hello hello;
      hello.arch = "x86_64";
      hello.shells = {"/bin/sh"};
      end.send(hello);
    };
  }
  AgentClient connect(std::chrono::milliseconds limit = 10s) {
    return AgentClient::connect(transport, transport.now() + limit, stop.get_token(), transport);
  }
};

}  // namespace

TEST_CASE("a client waits for a socket that appears", "[client]") {
  Fixture f;
  f.transport.before_connect = [](unsigned attempt) {
    if (attempt < 5) throw ConnectError(ConnectFailure::gone, "no socket yet");
  };
  const AgentClient client = f.connect();
  CHECK(client.hello().arch == "x86_64");
  CHECK(client.hello().shells == std::vector<std::string>{"/bin/sh"});
  CHECK(f.transport.attempts() == 6);
  CHECK(f.transport.elapsed() < 200ms);
}

TEST_CASE("a client gives up at its deadline with the last reason", "[client]") {
  Fixture f;
  SECTION("no socket") {
    f.transport.before_connect = [](unsigned) {
      throw ConnectError(ConnectFailure::gone, "no socket yet");
    };
    CHECK_THROWS_WITH(f.connect(2s), "no socket yet");
    CHECK(f.transport.elapsed() >= 2s);
  }
  SECTION("no HELLO") {
    f.transport.on_connect = [](AgentEnd&) {};
    CHECK_THROWS_WITH(f.connect(2s), ContainsSubstring("no answer in time"));
    CHECK(f.transport.elapsed() >= 2s);
  }
  SECTION("connections that are closed at once") {
    f.transport.on_connect = [](AgentEnd& end) { end.close(); };
    CHECK_THROWS_WITH(f.connect(2s), ContainsSubstring("closed"));
    CHECK(f.transport.attempts() > 10);
  }
  CHECK(f.transport.elapsed() <= 2100ms);
}

TEST_CASE("a client does not insist where no second look can help", "[client]") {
  Fixture f;
  const auto kind = GENERATE(ConnectFailure::absent, ConnectFailure::hostile);
  f.transport.before_connect = [&](unsigned) { throw ConnectError(kind, "no"); };
  CHECK_THROWS_AS(f.connect(), ConnectError);
  CHECK(f.transport.attempts() == 1);
}

TEST_CASE("a client obeys a stop request", "[client]") {
  Fixture f;
  f.transport.on_connect = [](AgentEnd&) {};
  f.transport.when_idle = [&] { return f.stop.request_stop(); };
  CHECK_THROWS_AS(f.connect(), support::Cancelled);
}

TEST_CASE("probe results come in the order of their targets", "[client]") {
  Fixture f;
  f.transport.on_message = [](AgentEnd& end, const protocol::DriverMessage& message) {
    const auto& probe = std::get<protocol::Probe>(message);
    CHECK(probe.deadline_ms == 3000);
    CHECK(probe.interval_ms == 20);
    end.send(protocol::Probed{probe.tag + 7, 0, true, "of an older probe"});
    end.send(protocol::Probed{probe.tag, 1, true, ""});
    end.send(protocol::Ping{});
    end.send(protocol::Probed{probe.tag, 0, false, "connection refused\n"});
  };
  AgentClient client = f.connect();
  const std::vector<protocol::ProbeTarget> targets{{protocol::ProbeKind::tcp, "10.0.0.1", 1, ""},
                                                   {protocol::ProbeKind::tcp, "10.0.0.1", 2, ""}};
  std::vector<std::size_t> order;
  const auto results =
      client.probe(targets, 3s, 20ms, f.stop.get_token(),
                   [&](std::size_t index, const auto&) { order.push_back(index); });
  CHECK(order == std::vector<std::size_t>{1, 0});
  CHECK(results ==
        std::vector<AgentClient::ProbeResult>{{false, "connection refused?"}, {true, ""}});
}

TEST_CASE("a probe that is never decided ends after its limit", "[client]") {
  Fixture f;
  AgentClient client = f.connect();
  const std::vector<protocol::ProbeTarget> targets(1);
  CHECK_THROWS_WITH(client.probe(targets, 3s, 20ms, {}), ContainsSubstring("no answer in time"));
  CHECK(f.transport.elapsed() >= 3s);
  CHECK(f.transport.elapsed() <= 14s);
  CHECK(client.probe({}, 3s, 20ms, {}).empty());
}

TEST_CASE("a probe's answers are not trusted", "[client][hostile]") {
  Fixture f;
  protocol::Probed lie;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    lie.tag = std::get<protocol::Probe>(message).tag;
    end.send(lie);
    end.send(lie);
  };
  lie.index = GENERATE(0u, 2u, 0xffffffffu);
  AgentClient client = f.connect();
  const std::vector<protocol::ProbeTarget> targets(2);
  CHECK_THROWS_WITH(client.probe(targets, 3s, 20ms, {}), ContainsSubstring("not asked for"));
}

TEST_CASE("files go in and come out, or the agent's errno does", "[client]") {
  Fixture f;
  std::string held;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    if (const auto* put = std::get_if<protocol::Put>(&message)) {
      CHECK(put->mode == 0640);
      if (put->path == "/ok") held = put->bytes;
      end.send(protocol::FileReply{put->tag, put->path == "/ok" ? 0u : std::uint32_t{ENOSPC}, ""});
    } else if (const auto* get = std::get_if<protocol::Get>(&message)) {
      end.send(
          protocol::FileReply{get->tag, get->path == "/ok" ? 0u : std::uint32_t{ENOENT}, held});
    }
  };
  AgentClient client = f.connect();
  const std::string bytes(100000, '\0');
  client.put("/ok", bytes, {.mode = 0640}, {});
  CHECK(client.get("/ok", {}) == bytes);
  CHECK_THROWS_WITH(client.put("/full", "x", {.mode = 0640}, {}),
                    ContainsSubstring("'/full'") && ContainsSubstring("No space left"));
  CHECK_THROWS_WITH(client.get("/none", {}), ContainsSubstring("No such file"));
  CHECK_THROWS_WITH(client.put("/big", std::string(protocol::k_max_file + 1, 'x'), {}, {}),
                    ContainsSubstring("more than"));
}

TEST_CASE("a lost agent is an error, not an empty file", "[client]") {
  Fixture f;
  f.transport.on_message = [](AgentEnd& end, const protocol::DriverMessage&) { end.close(); };
  AgentClient client = f.connect();
  CHECK_THROWS_WITH(client.get("/ok", {}), ContainsSubstring("closed"));
}

TEST_CASE("a signal is on its way when the call returns", "[client]") {
  Fixture f;
  AgentClient client = f.connect();
  client.signal(9, {});
  CHECK_THROWS_AS(client.get("/barrier", {}), SystemError);
  REQUIRE_FALSE(f.transport.last().received().empty());
  CHECK(f.transport.last().received()[0] == protocol::DriverMessage(protocol::Signal{9}));
}
