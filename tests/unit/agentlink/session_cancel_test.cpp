#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
using support::Cancelled;

namespace {

struct Fixture {
  FakeTransport transport;
  StringSink sink;
  agentlink::StageRequest request = test_request();
  std::stop_source stop;
  HonestAgent agent{transport, "so far\n", {}};

  Fixture() { agent.finished = false; }

  /// Stop is requested as soon as nothing moves any more.
  void stop_when_idle() {
    transport.when_idle = [this] { return stop.request_stop(); };
  }
  void run() { agentlink::run_stage(transport, request, sink, {}, stop.get_token(), transport); }
};

}  // namespace

TEST_CASE("a cancel sends TERM, and KILL after the grace", "[session][cancel]") {
  Fixture f;
  f.stop_when_idle();
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.signals == std::vector<protocol::Signal>{{15}, {9}});
  CHECK(f.sink.text == "so far\n");
  CHECK(f.transport.elapsed() == 15s);  // 10 s of grace, 5 s for an EXIT that never came
}

TEST_CASE("a cancel ends with EXIT after KILL", "[session][cancel]") {
  Fixture f;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    f.agent.answer(end, message);
    if (message == protocol::DriverMessage(protocol::Signal{9})) f.agent.finish(end);
  };
  f.stop_when_idle();
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.signals.size() == 2);
  CHECK(f.transport.elapsed() == 10s);
}

TEST_CASE("what a stage leaves behind after TERM is killed before the cancel returns",
          "[session][cancel]") {
  Fixture f;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    f.agent.answer(end, message);
    if (message == protocol::DriverMessage(protocol::Signal{15})) f.agent.finish(end);
  };
  f.stop_when_idle();
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.signals == std::vector<protocol::Signal>{{15}, {9}});
  // The answer to ATTACH says that the agent has taken up the KILL in front of it.
  REQUIRE(f.agent.attaches.size() == 1);
  CHECK(f.agent.attaches[0].offset == 7);
  CHECK(f.transport.elapsed() == 0s);
}

TEST_CASE("a cancel before anything was started starts nothing", "[session][cancel]") {
  Fixture f;
  f.stop.request_stop();
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.starts == 0);
}

TEST_CASE("a cancel while the agent cannot be reached is prompt", "[session][cancel]") {
  Fixture f;
  SECTION("and nothing was started") {
    f.transport.before_connect = [&](unsigned attempt) {
      if (attempt == 3) f.stop.request_stop();
      throw agentlink::ConnectError(agentlink::ConnectFailure::temporary, "down");
    };
    CHECK_THROWS_AS(f.run(), Cancelled);
    CHECK(f.transport.elapsed() < 1s);
  }
  SECTION("the stage runs: it is worth a few seconds to signal it") {
    f.transport.when_idle = [&] {
      if (!f.transport.last().open()) return false;
      f.transport.last().close();
      return true;
    };
    f.transport.before_connect = [&](unsigned attempt) {
      if (attempt == 2) f.stop.request_stop();
      if (attempt > 0) throw agentlink::ConnectError(agentlink::ConnectFailure::temporary, "down");
    };
    CHECK_THROWS_AS(f.run(), Cancelled);
    CHECK(f.transport.elapsed() >= 5s);
    CHECK(f.transport.elapsed() <= 6s);
  }
  SECTION("the agent has ended") {
    f.transport.when_idle = [&] {
      if (!f.transport.last().open()) return false;
      f.stop.request_stop();
      f.transport.last().close();
      return true;
    };
    f.transport.before_connect = [&](unsigned attempt) {
      if (attempt > 0) throw agentlink::ConnectError(agentlink::ConnectFailure::gone, "gone");
    };
    CHECK_THROWS_AS(f.run(), Cancelled);
    CHECK(f.transport.elapsed() < 1s);
  }
}

TEST_CASE("a cancel survives a cut connection and is repeated", "[session][cancel]") {
  Fixture f;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    if (end.number() == 0 && std::holds_alternative<protocol::Signal>(message)) {
      end.close();  // lost before the agent read it
      return;
    }
    f.agent.answer(end, message);
    if (message == protocol::DriverMessage(protocol::Signal{15})) f.agent.finish(end);
  };
  f.stop_when_idle();
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.signals == std::vector<protocol::Signal>{{15}, {9}});
  CHECK(f.agent.starts == 1);
}

TEST_CASE("a reconnect during a cancel never starts the stage", "[session][cancel]") {
  Fixture f;
  f.transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    if (end.number() == 0) {
      f.stop.request_stop();  // START arrives, but the connection is gone
      end.close();
      return;
    }
    f.agent.answer(end, message);
  };
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.starts == 0);
  CHECK(f.agent.attaches.size() == 1);
}

TEST_CASE("a log that takes no more does not keep a cancel from ending the job's processes",
          "[session][cancel]") {
  Fixture f;
  f.sink.before_write = [&](std::string_view) {
    f.stop.request_stop();
    throw Cancelled();
  };
  CHECK_THROWS_AS(f.run(), Cancelled);
  CHECK(f.agent.signals == std::vector<protocol::Signal>{{15}, {9}});
}

TEST_CASE("output lost to a cancelled log is never reported as a success", "[session][cancel]") {
  Fixture f;
  f.agent.finished = true;  // OUTPUT and EXIT come together
  f.sink.before_write = [&](std::string_view) {
    f.stop.request_stop();
    throw Cancelled();
  };
  CHECK_THROWS_AS(f.run(), Cancelled);
}
