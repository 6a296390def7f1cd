#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

#include <algorithm>

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
using agentlink::AgentLost;
using agentlink::ConnectError;
using agentlink::ConnectFailure;
using agentlink::run_stage;
using support::Cancelled;
using support::SystemError;

namespace {

std::string numbers(std::size_t bytes) {
  std::string text;
  for (unsigned i = 0; text.size() < bytes; ++i) text += std::to_string(i) + "\n";
  text.resize(bytes);
  return text;
}

core::ExitStatus exited(int code) {
  return {core::Exited{code}, 0};
}

struct Fixture {
  FakeTransport transport;
  StringSink sink;
  agentlink::SessionLimits limits;
  agentlink::StageRequest request = test_request("echo hello\n");
  std::stop_source stop;

  core::ExitStatus run() {
    return run_stage(transport, request, sink, limits, stop.get_token(), transport);
  }
};

}  // namespace

TEST_CASE("a stage's output and status come through one connection", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, numbers(95), {.status = 3, .oom_kills = 2});
  f.request.start.umask = 022;
  f.request.start.env = {"A=b"};

  const core::ExitStatus status = f.run();

  CHECK(status == core::ExitStatus{core::Exited{3}, 2});
  CHECK(f.sink.text == numbers(95));
  CHECK(agent.starts == 1);
  CHECK(*agent.start == f.request.start);
  CHECK(f.transport.attempts() == 1);
}

TEST_CASE("a shell ended by a signal is told from an exit code", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, "", {.kind = protocol::ExitKind::signalled, .status = 9});
  CHECK(f.run() == core::ExitStatus{core::Signalled{9}, 0});
}

TEST_CASE("nothing is acknowledged before the sink has taken it", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, numbers(50000), {});
  agent.finished = false;
  agent.chunk = 1000;
  f.sink.before_write = [&](std::string_view) {
    for (const std::uint64_t ack : agent.acks) REQUIRE(ack <= f.sink.text.size());
  };
  f.transport.when_idle = [&] {
    if (agent.finished) return false;
    agent.finish(f.transport.last());
    return true;
  };
  f.run();
  REQUIRE_FALSE(agent.acks.empty());
  CHECK(agent.acks.back() == 50000);
  CHECK(std::is_sorted(agent.acks.begin(), agent.acks.end()));
}

TEST_CASE("a cut anywhere in what the agent sends loses and repeats nothing", "[session]") {
  const std::string output = numbers(64);
  std::size_t whole = 0;
  for (std::size_t cut = 0;; ++cut) {
    Fixture f;
    HonestAgent agent(f.transport, output, {.status = 5});
    f.transport.on_connect = [&](AgentEnd& end) {
      if (end.number() == 0) end.cut_after_sending(cut);
      agent.greet(end);
    };
    const core::ExitStatus status = f.run();
    REQUIRE(status == exited(5));
    REQUIRE(f.sink.text == output);
    REQUIRE(agent.starts == 1);
    whole = cut;
    if (f.transport.attempts() == 1) break;  // the whole session passed before the cut
  }
  CHECK(whole > output.size());
}

TEST_CASE("many cuts are survived one after the other", "[session]") {
  Fixture f;
  const std::string output = numbers(2000);
  HonestAgent agent(f.transport, output, {});
  f.transport.on_connect = [&](AgentEnd& end) {
    end.cut_after_sending(120);
    agent.greet(end);
  };
  CHECK(f.run().success());
  CHECK(f.sink.text == output);
  CHECK(agent.starts == 1);
  CHECK(f.transport.attempts() > 20);
  // A flapping link is not hammered, and no pause grows while each brings something.
  CHECK(f.transport.elapsed() >= 25ms * (f.transport.attempts() - 1));
  CHECK(*std::max_element(f.transport.jumps().begin(), f.transport.jumps().end()) <= 50ms);
}

TEST_CASE("a stage that was perhaps started is started once more by the same id", "[session]") {
  // Another process sent START and died before it heard of it; the agent is
  // known to be the same, which never starts an id twice.
  Fixture f;
  f.request.resume = 0;
  f.request.nonce.emplace().fill(7);
  HonestAgent agent(f.transport, "abcdef", {});
  CHECK(f.run().success());
  CHECK(agent.starts == 1);
  CHECK(agent.attaches.empty());
  CHECK(f.sink.text == "abcdef");
}

TEST_CASE("a stage of an earlier process is attached to, not started", "[session]") {
  Fixture f;
  f.request.resume = 4;
  HonestAgent agent(f.transport, "abcdef", {.status = 1});
  SECTION("its agent knows it") {
    agent.start = f.request.start;
    CHECK(f.run() == exited(1));
    CHECK(f.sink.text == "ef");
    CHECK(agent.starts == 0);
  }
  SECTION("its agent does not") {
    CHECK_THROWS_WITH(f.run(), ContainsSubstring("cannot take the stage up again"));
    CHECK(agent.starts == 0);
  }
  SECTION("nothing was delivered yet and the agent may be another one") {
    f.request.resume = 0;
    CHECK_THROWS_AS(f.run(), SystemError);
    CHECK(agent.starts == 0);
  }
}

TEST_CASE("another nonce means that the container was replaced", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, numbers(30), {});
  SECTION("since prepare") {
    f.request.nonce.emplace().fill(1);
  }
  SECTION("since the last connection") {
    f.transport.on_connect = [&](AgentEnd& end) {
      if (end.number() == 0) end.cut_after_sending(90);
      agent.hello.nonce.fill(static_cast<std::uint8_t>(end.number()));
      agent.greet(end);
    };
  }
  CHECK_THROWS_WITH(f.run(), ContainsSubstring("replaced") && ContainsSubstring("berth-1-build"));
}

TEST_CASE("another version of the protocol is refused", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, "", {});
  agent.hello.version = 9;
  CHECK_THROWS_WITH(f.run(), ContainsSubstring("version 9"));
  CHECK(agent.starts == 0);
}

TEST_CASE("PING is answered and keeps a silent stage alive", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, "", {});
  agent.finished = false;
  int pings = 0;
  f.transport.when_idle = [&] {
    // Called where the clock would jump: a ping comes instead, then the end.
    if (pings < 30) {
      ++pings;
      f.transport.last().send(protocol::Ping{});
      return true;
    }
    if (agent.finished) return false;
    agent.finish(f.transport.last());
    return true;
  };
  CHECK(f.run().success());
  CHECK(f.transport.attempts() == 1);
  const auto& received = f.transport.last().received();
  CHECK(std::count_if(received.begin(), received.end(), [](const auto& message) {
          return std::holds_alternative<protocol::Pong>(message);
        }) == 30);
}

TEST_CASE("a silent connection is taken for dead and replaced", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, numbers(20), {});
  agent.finished = false;
  f.transport.on_connect = [&](AgentEnd& end) {
    if (end.number() == 1) agent.finished = true;
    agent.greet(end);
  };
  CHECK(f.run().success());
  CHECK(f.transport.attempts() == 2);
  CHECK(f.transport.elapsed() >= 30s);
  CHECK(f.transport.elapsed() < 31s);
  CHECK(agent.starts == 1);
  CHECK(f.sink.text == numbers(20));
}

TEST_CASE("reconnecting goes on, slower and slower, up to the connection timeout", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, "abc", {});
  agent.finished = false;
  f.transport.on_connect = [&](AgentEnd& end) {
    end.cut_after_sending(85);
    agent.greet(end);
  };
  f.transport.before_connect = [](unsigned attempt) {
    if (attempt > 0) throw ConnectError(ConnectFailure::temporary, "engine: connection refused");
  };
  try {
    f.run();
    FAIL("returned");
  } catch (const AgentLost& error) {
    CHECK_THAT(error.what(), ContainsSubstring("300 s") && ContainsSubstring("berth-1-build") &&
                                 ContainsSubstring("engine: connection refused"));
    CHECK(error.kind() == ConnectFailure::temporary);
    CHECK(error.start_sent());
    CHECK(error.delivered() == f.sink.text.size());
  }
  CHECK(f.transport.elapsed() >= 300s);
  CHECK(f.transport.elapsed() <= 301s);
  CHECK(f.transport.jumps().front() <= 50ms);
  CHECK(*std::max_element(f.transport.jumps().begin(), f.transport.jumps().end()) <= 5s);
  CHECK(f.transport.attempts() > 60);
  CHECK(f.transport.attempts() < 140);
}

TEST_CASE("an agent that never says HELLO is given up", "[session]") {
  Fixture f;
  CHECK_THROWS_AS(f.run(), AgentLost);
  CHECK(f.transport.elapsed() <= 301s);
  for (const auto& end : f.transport.connections()) CHECK(end->received().empty());
}

TEST_CASE("an agent that greets but never answers is given up", "[session]") {
  Fixture f;
  f.transport.on_connect = [](AgentEnd& end) { end.send(protocol::Hello{}); };
  CHECK_THROWS_AS(f.run(), AgentLost);
  CHECK(f.transport.elapsed() <= 301s);
}

TEST_CASE("an agent that has ended is reported at once", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, numbers(64), {});
  agent.finished = false;
  f.transport.before_connect = [](unsigned attempt) {
    if (attempt > 0) throw ConnectError(ConnectFailure::gone, "nobody listens");
  };
  SECTION("before it was reached") {
    f.transport.before_connect = [](unsigned) {
      throw ConnectError(ConnectFailure::gone, "nobody listens");
    };
    try {
      f.run();
      FAIL("returned");
    } catch (const AgentLost& error) {
      CHECK_FALSE(error.start_sent());
      CHECK(error.kind() == ConnectFailure::gone);
    }
  }
  SECTION("while the stage ran") {
    f.transport.when_idle = [&] {
      if (!f.transport.last().open()) return false;
      f.transport.last().close();
      return true;
    };
    try {
      f.run();
      FAIL("returned");
    } catch (const AgentLost& error) {
      CHECK(error.start_sent());
      CHECK(error.delivered() == 64);
    }
  }
  CHECK(f.transport.elapsed() < 1s);
}

TEST_CASE("an agent's last words are heard though it is gone", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, "abcdef", {.status = 4});
  agent.chunk = 3;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    const auto* start = std::get_if<protocol::Start>(&message);
    if (start == nullptr) return;
    agent.start = *start;
    end.send(protocol::Started{start->id, protocol::StageState::running, 0});
    end.send(protocol::Output{0, "abc"});
  };
  f.sink.before_write = [&](std::string_view bytes) {
    if (bytes != "abc") return;
    // The rest and EXIT are on their way, and nobody will read the ACK.
    f.transport.last().send(protocol::Output{3, "def"});
    agent.finish(f.transport.last());
    f.transport.settle();
    f.transport.last().close();
  };
  CHECK(f.run() == exited(4));
  CHECK(f.sink.text == "abcdef");
  CHECK(f.transport.attempts() == 1);
}

TEST_CASE("something else in the place of the agent's socket is not asked twice", "[session]") {
  Fixture f;
  f.transport.before_connect = [](unsigned) {
    throw ConnectError(ConnectFailure::hostile, "a FIFO stands there");
  };
  CHECK_THROWS_WITH(f.run(), ContainsSubstring("a FIFO stands there"));
  CHECK(f.transport.attempts() == 1);
}

TEST_CASE("the agent's refusals say whose fault it is", "[session]") {
  Fixture f;
  protocol::Refused refused;
  f.transport.on_connect = [](AgentEnd& end) { end.send(protocol::Hello{}); };
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage&) {
    end.send(refused);
  };
  SECTION("an image without a shell is the job's") {
    refused.reason = protocol::RefusalReason::no_shell;
    try {
      f.run();
      FAIL("returned");
    } catch (const support::JobError& error) {
      CHECK_THAT(error.what(), ContainsSubstring("no shell"));
      CHECK_THAT(error.hint(), ContainsSubstring("bash, sh or busybox"));
    }
  }
  SECTION("a shell that does not start is the system's") {
    refused = {protocol::RefusalReason::cannot_start, "fork: out\nof memory\x1b[2J"};
    CHECK_THROWS_WITH(f.run(), ContainsSubstring("fork: out?of memory?[2J"));
  }
  SECTION("a stage of a killed driver still runs") {
    refused.reason = protocol::RefusalReason::busy;
    CHECK_THROWS_AS(f.run(), SystemError);
  }
}

TEST_CASE("a sink that fails fails the stage", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, "abc", {});
  f.sink.before_write = [](std::string_view) { throw SystemError("cannot write the job log"); };
  CHECK_THROWS_WITH(f.run(), ContainsSubstring("cannot write the job log"));
}

TEST_CASE("a stage that takes longer than it may is left where it is", "[session]") {
  Fixture f;
  HonestAgent agent(f.transport, numbers(95), {.status = 3});
  agent.finished = false;
  f.limits.leave_after = 2s;
  try {
    f.run();
    FAIL("followed to its end");
  } catch (const AgentLost& lost) {
    CHECK(lost.kind() == ConnectFailure::absent);
    CHECK(lost.start_sent());
    CHECK(lost.delivered() == 95);
  }
  CHECK(f.sink.text == numbers(95));
  // Another program takes it up from there.
  agent.finished = true;
  f.limits.leave_after.reset();
  f.request.resume = 95;
  CHECK(f.run() == exited(3));
  CHECK(f.sink.text == numbers(95));
  CHECK(agent.starts == 1);
}
