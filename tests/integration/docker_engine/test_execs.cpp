#include "executor/docker/engine/exec_transport.hpp"
#include "executor/docker/engine/stream_demux.hpp"
#include "tests/integration/docker_engine/engine_under_test.hpp"
#include "tests/support/catch.hpp"

#include <array>
#include <poll.h>

using namespace berth;
using tests::EngineUnderTest;
using State = net::DuplexIo::State;

namespace {

struct Talk {
  std::string output;
  std::string errors;
};

/// Writes everything and reads to the end, both at once.
Talk talk(net::DuplexStream& stream, std::string_view input) {
  Talk result;
  docker::StreamDemux demux;
  std::array<char, 32768> buffer;
  while (true) {
    bool idle = true;
    if (!input.empty()) {
      const net::DuplexIo out = stream.write(input);
      REQUIRE(out.state != State::closed);
      input.remove_prefix(out.bytes);
      idle = out.state == State::would_block;
    }
    const net::DuplexIo in = stream.read(buffer);
    if (in.state == State::closed) {
      CHECK(in.why.empty());
      CHECK(demux.at_boundary());
      return result;
    }
    if (in.state == State::moved) {
      idle = false;
      demux.feed(
          {buffer.data(), in.bytes}, [&](docker::OutputStream which, std::string_view piece) {
            (which == docker::OutputStream::errors ? result.errors : result.output).append(piece);
          });
    }
    if (idle && !stream.buffered()) {
      pollfd entry{stream.fd(), static_cast<short>(input.empty() ? POLLIN : POLLIN | POLLOUT), 0};
      REQUIRE(::poll(&entry, 1, 60000) > 0);
    }
  }
}

}  // namespace

TEST_CASE("an exec carries megabytes both ways, and its exit code") {
  EngineUnderTest engine;
  const std::string id = engine.run("a", {"sleep", "1000"});
  std::string input(5 << 20, '\0');
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<char>(i * 131 + i / 7);
  const std::string exec =
      engine->create_exec(id,
                          {.cmd = {"sh", "-c", "head -c 5242880; echo problem >&2; exit 7"},
                           .user = "0:0",
                           .env = {"K=v"}},
                          {});
  const auto stream = engine->start_exec(exec, tests::soon(), {});
  const Talk result = talk(*stream, input);
  CHECK(result.output == input);
  CHECK(result.errors == "problem\n");
  CHECK(engine->inspect_exec(exec, {}).exit_code == 7);
  CHECK_FALSE(engine->inspect_exec(exec, {}).running);
}

TEST_CASE("closing the connection ends the exec's standard input") {
  EngineUnderTest engine;
  const std::string id = engine.run("a", {"sleep", "1000"});
  const std::string exec = engine->create_exec(
      id, {.cmd = {"sh", "-c", "echo up; cat >/dev/null; echo ended >/tmp/ended"}}, {});
  auto stream = engine->start_exec(exec, tests::soon(), {});
  stream.reset();
  const auto deadline = tests::soon();
  while (engine->inspect_exec(exec, {}).running && std::chrono::steady_clock::now() < deadline) {
  }
  CHECK_FALSE(engine->inspect_exec(exec, {}).running);
}

TEST_CASE("why no agent can be reached in a container") {
  EngineUnderTest engine;
  const auto failure = [&](const std::string& container) {
    try {
      docker::make_exec_transport(*engine, container)->connect(tests::soon(), {});
    } catch (const agentlink::ConnectError& error) {
      return error;
    }
    FAIL("no error");
    return agentlink::ConnectError(agentlink::ConnectFailure::temporary, "");
  };
  const std::string id = engine.run("a", {"sleep", "1000"});
  const auto missing = failure(id);
  CHECK(missing.kind() == agentlink::ConnectFailure::absent);
  CHECK_THAT(missing.what(), ContainsSubstring("no such file or directory"));
  engine->kill_container(id, "SIGKILL", {});
  engine->wait_container(id, {});
  CHECK(failure(id).kind() == agentlink::ConnectFailure::gone);
  engine->remove_container(id, {});
  CHECK(failure(id).kind() == agentlink::ConnectFailure::gone);
}
