#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

/// What a job may do that poses as its container's agent: never a success,
/// always words.

using namespace berth;
using namespace berth::tests;
using protocol::AgentMessage;

namespace {

/// Greets, and answers START with what the test gives. Returns the error's words.
std::string refuse(const std::function<void(AgentEnd&, const protocol::StageId&)>& on_start) {
  FakeTransport transport;
  StringSink sink;
  transport.on_connect = [](AgentEnd& end) { end.send(protocol::Hello{}); };
  transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    if (const auto* start = std::get_if<protocol::Start>(&message)) on_start(end, start->id);
  };
  try {
    agentlink::run_stage(transport, test_request(), sink, {}, {}, transport);
  } catch (const support::SystemError& error) {
    CHECK(transport.attempts() == 1);  // no second try with a liar
    CHECK_THAT(error.what(), ContainsSubstring("berth-1-build"));
    return error.what();
  }
  return "it returned a status";
}

protocol::Started started(const protocol::StageId& id) {
  return {id, protocol::StageState::running, 0};
}

}  // namespace

TEST_CASE("an agent that breaks the order of frames is refused", "[session][hostile]") {
  const auto words = "does not speak its protocol";
  CHECK_THAT(refuse([](AgentEnd& end, const auto& id) { end.send(protocol::Exit{.id = id}); }),
             ContainsSubstring(words) && ContainsSubstring("before STARTED"));
  CHECK_THAT(refuse([](AgentEnd& end, const auto&) {
               end.send(protocol::Output{0, "x"});
             }),
             ContainsSubstring(words) && ContainsSubstring("before STARTED"));
  CHECK_THAT(refuse([](AgentEnd& end, const auto&) { end.send(protocol::Hello{}); }),
             ContainsSubstring("HELLO came twice"));
  CHECK_THAT(refuse([](AgentEnd& end, const auto& id) {
               end.send(started(id));
               end.send(started(id));
             }),
             ContainsSubstring("STARTED came twice"));
  CHECK_THAT(refuse([](AgentEnd& end, const auto&) { end.send(protocol::FileReply{}); }),
             ContainsSubstring("unasked"));
  CHECK_THAT(refuse([](AgentEnd& end, const auto&) { end.send(protocol::Probed{}); }),
             ContainsSubstring("unasked"));
}

TEST_CASE("an agent that lies about offsets and lengths is refused", "[session][hostile]") {
  const auto after_started = [](AgentMessage message) {
    return refuse([&](AgentEnd& end, const protocol::StageId& id) {
      end.send(started(id));
      if (auto* exit = std::get_if<protocol::Exit>(&message)) exit->id = id;
      end.send(message);
    });
  };
  CHECK_THAT(after_started(protocol::Output{1, "x"}), ContainsSubstring("offset 1 where 0"));
  CHECK_THAT(after_started(protocol::Output{~std::uint64_t{0}, "x"}), ContainsSubstring("offset"));
  CHECK_THAT(after_started(protocol::Output{0, ""}), ContainsSubstring("carries nothing"));
  CHECK_THAT(after_started(protocol::Output{0, std::string(protocol::k_max_output_chunk + 1, 'x')}),
             ContainsSubstring("more than"));
  CHECK_THAT(after_started(protocol::Exit{.length = 1}), ContainsSubstring("1 bytes of output"));
  CHECK_THAT(after_started(protocol::Exit{.kind = protocol::ExitKind::signalled, .status = 0}),
             ContainsSubstring("no such signal"));
  CHECK_THAT(after_started(protocol::Exit{.kind = protocol::ExitKind::signalled, .status = 65}),
             ContainsSubstring("no such signal"));
  CHECK_THAT(refuse([](AgentEnd& end, const protocol::StageId& id) {
               end.send(protocol::Started{id, protocol::StageState::running, 5});
             }),
             ContainsSubstring("byte 5"));
  CHECK_THAT(refuse([](AgentEnd& end, const auto&) {
               end.send(started({1, 2, 3}));
             }),
             ContainsSubstring("another stage"));
  CHECK_THAT(refuse([](AgentEnd& end, const protocol::StageId& id) {
               end.send(started(id));
               end.send(protocol::Exit{.id = {1, 2, 3}});
             }),
             ContainsSubstring("another stage"));
}

TEST_CASE("garbage and oversized frames are refused", "[session][hostile]") {
  const auto garbage = GENERATE(as<std::string>(), std::string(64, '\xff'), std::string(64, 'A'),
                                "HTTP/1.1 400 Bad Request\r\n\r\n",
                                // OUTPUT announcing 4 GiB, then nothing
                                std::string("\x03\xff\xff\xff\xff", 5));
  CHECK_THAT(refuse([&](AgentEnd& end, const auto&) { end.send_raw(garbage); }),
             ContainsSubstring("does not speak its protocol"));
}

TEST_CASE("frames before HELLO are refused", "[session][hostile]") {
  FakeTransport transport;
  StringSink sink;
  transport.on_connect = [](AgentEnd& end) { end.send(protocol::Exit{}); };
  CHECK_THROWS_WITH(agentlink::run_stage(transport, test_request(), sink, {}, {}, transport),
                    ContainsSubstring("not HELLO"));
  CHECK(transport.last().received().empty());  // the script was not given away
}

TEST_CASE("an agent that only talks and never reads makes nothing pile up", "[session][hostile]") {
  FakeTransport transport;
  StringSink sink;
  std::stop_source stop;
  unsigned pings = 0;
  transport.on_connect = [](AgentEnd& end) { end.send(protocol::Hello{}); };
  transport.on_message = [&](AgentEnd& end, const protocol::DriverMessage& message) {
    if (const auto* start = std::get_if<protocol::Start>(&message)) {
      end.send(started(start->id));
      end.stop_reading();
    }
  };
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += protocol::encode(protocol::Ping{});
  transport.when_idle = [&] {
    AgentEnd& end = transport.last();
    if (++pings < 300) {
      end.send_raw(flood);
      return true;
    }
    if (pings > 300) return false;
    end.resume_reading();
    transport.before_connect = [](unsigned) {
      throw agentlink::ConnectError(agentlink::ConnectFailure::gone, "gone");
    };
    stop.request_stop();
    return true;
  };
  CHECK_THROWS_AS(
      agentlink::run_stage(transport, test_request(), sink, {}, stop.get_token(), transport),
      support::Cancelled);
  // 300 000 pings; the answers that a socket's buffer took, and one more.
  CHECK(transport.last().received().size() > 10);
  CHECK(transport.last().received().size() < 5000);
}
