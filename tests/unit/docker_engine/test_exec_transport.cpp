#include "executor/docker/engine/exec_transport.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker_engine/fake_engine.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <atomic>
#include <poll.h>
#include <thread>

using namespace berth;
using agentlink::ConnectError;
using agentlink::ConnectFailure;
using agentlink::Io;
using tests::Bench;
using tests::ServerFault;
using tests::ServerPeer;
using tests::ServerReply;

namespace {

std::string frame(char stream, const std::string& payload) {
  std::string bytes{stream, 0, 0, 0, 0, 0};
  bytes += static_cast<char>(payload.size() >> 8);
  bytes += static_cast<char>(payload.size() & 0xff);
  return bytes + payload;
}

/// The first byte of a message of the agent.
const std::string k_hello =
    "\x81"
    "hello";

struct ExecBench : Bench {
  std::unique_ptr<agentlink::Transport> transport = docker::make_exec_transport(engine, "build-1");

  ExecBench() {
    server.on("POST", "/v1.41/containers/build-1/exec",
              {{.status = 201, .body = R"({"Id":"e1"})"}});
  }
  void on_start(std::function<void(ServerPeer&)> talk) {
    server.on("POST", "/v1.41/exec/e1/start",
              {{.status = 101,
                .headers = {{"Upgrade", "tcp"}, {"Connection", "Upgrade"}},
                .upgrade = std::move(talk)}});
  }
  void exits(int code) {
    server.on("GET", "/v1.41/exec/e1/json",
              {{.body = nlohmann::json{{"Running", false}, {"ExitCode", code}}.dump()}});
  }
  std::unique_ptr<agentlink::Stream> connect(std::stop_token stop = {}) {
    return transport->connect(std::chrono::steady_clock::now() + std::chrono::seconds(20), stop);
  }
  ConnectError failure() {
    try {
      connect();
    } catch (const ConnectError& error) {
      return error;
    }
    FAIL("no error");
    return {ConnectFailure::temporary, ""};
  }
};

std::string read_all(agentlink::Stream& stream, std::string* why = nullptr,
                     std::size_t enough = std::string::npos) {
  std::string all;
  std::array<char, 700> buffer;
  while (all.size() < enough) {
    const Io io = stream.read(buffer);
    if (io.state == Io::State::closed) {
      if (why != nullptr) *why = io.why;
      break;
    }
    all.append(buffer.data(), io.bytes);
    pollfd entry{stream.fd(), stream.poll_events(false), 0};
    if (io.state == Io::State::would_block && !stream.buffered()) ::poll(&entry, 1, 10000);
  }
  return all;
}

}  // namespace

TEST_CASE("the agent's bytes come out of the engine's frames, and ours go in as they are") {
  ExecBench bench;
  std::string large(300000, 'x');
  bench.on_start([&](ServerPeer& peer) {
    peer.write(frame(1, k_hello).substr(0, 5));
    peer.write(frame(1, k_hello).substr(5));
    const std::string first = peer.read();
    for (std::size_t at = 0; at < large.size(); at += 30000)
      peer.write(frame(1, large.substr(at, 30000)));
    peer.write(frame(2, "a warning\n") + frame(1, first));
  });
  const auto stream = bench.connect();
  CHECK(nlohmann::json::parse(bench.server.requests().at(1).body)["Cmd"] ==
        nlohmann::json{"/.berth/bin/berth-agent", "connect"});
  CHECK(stream->buffered());
  CHECK(read_all(*stream, nullptr, k_hello.size()) == k_hello);
  CHECK(stream->write("START").bytes == 5);
  std::string why;
  CHECK(read_all(*stream, &why) == large + "START");
  CHECK(why == "a warning");
}

TEST_CASE("why no agent answered") {
  ExecBench bench;
  SECTION("nobody listens in the container") {
    bench.on_start([](ServerPeer& peer) {
      peer.write(frame(
          2, "berth-agent: cannot connect to '/.berth/run/agent.sock': Connection refused\n"));
    });
    bench.exits(69);
    const ConnectError error = bench.failure();
    CHECK(error.kind() == ConnectFailure::gone);
    CHECK_THAT(error.what(),
               ContainsSubstring("exec in container 'build-1' of the docker engine at tcp://"));
    CHECK_THAT(error.what(), ContainsSubstring("Connection refused (exit code 69)"));
  }
  SECTION("it takes no more connections") {
    bench.on_start([](ServerPeer&) {});
    bench.exits(75);
    CHECK(bench.failure().kind() == ConnectFailure::temporary);
  }
  SECTION("the program is not there: the engine's words come on stdout") {
    bench.on_start([](ServerPeer& peer) {
      peer.write(frame(1,
                       "OCI runtime exec failed: exec: \"/.berth/bin/berth-agent\": no such file "
                       "or directory: unknown\r\n"));
    });
    bench.exits(126);
    const ConnectError error = bench.failure();
    CHECK(error.kind() == ConnectFailure::absent);
    CHECK_THAT(error.what(), ContainsSubstring("no such file or directory"));
  }
  SECTION("the container is not there") {
    bench.server.on("POST", "/v1.41/containers/build-1/exec",
                    {{.status = 404, .body = R"({"message":"No such container: build-1"})"}});
    CHECK(bench.failure().kind() == ConnectFailure::gone);
  }
  SECTION("it does not run") {
    bench.server.on("POST", "/v1.41/containers/build-1/exec",
                    {{.status = 409, .body = R"({"message":"Container 1 is not running"})"}});
    CHECK(bench.failure().kind() == ConnectFailure::gone);
  }
  SECTION("it is paused") {
    bench.server.on(
        "POST", "/v1.41/containers/build-1/exec",
        {{.status = 409,
          .body = R"({"message":"Container 1 is paused, unpause the container before exec"})"}});
    CHECK(bench.failure().kind() == ConnectFailure::temporary);
  }
  SECTION("the engine breaks off") {
    bench.server.on("POST", "/v1.41/exec/e1/start", {{.fault = ServerFault::drop}});
    CHECK(bench.failure().kind() == ConnectFailure::temporary);
  }
  SECTION("no frames") {
    bench.on_start([](ServerPeer& peer) { peer.write("something else"); });
    bench.exits(0);
    CHECK(bench.failure().kind() == ConnectFailure::temporary);
  }
}

TEST_CASE("waiting for the agent ends with a stop and with the deadline") {
  ExecBench bench;
  bench.on_start([](ServerPeer& peer) { peer.read(); });
  std::stop_source stop;
  std::jthread stopper([&] {
    bench.server.wait_for("POST", "/v1.41/exec/e1/start", 1);
    stop.request_stop();
  });
  CHECK_THROWS_AS(bench.connect(stop.get_token()), support::Cancelled);
  try {
    bench.transport->connect(std::chrono::steady_clock::now() + std::chrono::milliseconds(60), {});
    FAIL("no error");
  } catch (const ConnectError& error) {
    CHECK(error.kind() == ConnectFailure::temporary);
  }
}

TEST_CASE("words without end are not listened to for ever") {
  std::atomic<bool> over = false;
  ExecBench bench;
  bench.on_start([&over](ServerPeer& peer) {
    while (!over) peer.write(frame(1, std::string(60000, 'w')));
  });
  try {
    bench.transport->connect(std::chrono::steady_clock::now() + std::chrono::milliseconds(60), {});
    FAIL("no error");
  } catch (const ConnectError& error) {
    CHECK(error.kind() == ConnectFailure::temporary);
  }
  std::stop_source stop;
  std::jthread stopper([&] {
    bench.server.wait_for("POST", "/v1.41/exec/e1/start", 2);
    stop.request_stop();
  });
  CHECK_THROWS_AS(bench.connect(stop.get_token()), support::Cancelled);
  over = true;
}
