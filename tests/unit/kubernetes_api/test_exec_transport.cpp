#include "executor/kubernetes/api/exec_transport.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/websocket_peer.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <array>
#include <poll.h>
#include <thread>

using namespace berth;
using namespace berth::kubernetes;
using agentlink::ConnectError;
using agentlink::ConnectFailure;
using agentlink::Io;
using nlohmann::json;
using tests::k_exec_path;
using tests::k_pod_path;
using tests::refusal;
using tests::ServerFault;
using tests::ServerRequest;
using tests::WebSocketPeer;

namespace {

json running() {
  json pod = tests::pod_json("p", "7");
  pod["status"] = {
      {"phase", "Running"},
      {"containerStatuses", {{{"name", "build"}, {"state", {{"running", json::object()}}}}}}};
  return pod;
}

struct Bench : tests::Cluster {
  std::unique_ptr<agentlink::Transport> transport = make_exec_transport(
      client, {.name_space = "ci", .pod = "p", .container = "build", .uid = "u1"});

  Bench() { server.on("GET", k_pod_path, {{.body = running().dump()}}); }
  void on_exec(std::function<void(WebSocketPeer&)> talk) {
    server.on("GET", k_exec_path, [talk = std::move(talk)](const ServerRequest& request) {
      return tests::websocket_reply(request, "v5.channel.k8s.io", talk);
    });
  }
  void ends_with(const std::string& status, const std::string& errors = "") {
    on_exec([status, errors](WebSocketPeer& peer) {
      if (!errors.empty()) peer.send("\2" + errors);
      peer.send("\3" + status);
      peer.close();
      peer.read();
    });
  }
  void exits(int code, const std::string& errors = "") {
    ends_with(tests::status_json(
                  500, "NonZeroExitCode", "command terminated with non-zero exit code",
                  {{"causes", {{{"reason", "ExitCode"}, {"message", std::to_string(code)}}}}}),
              errors);
  }
  std::unique_ptr<agentlink::Stream> connect(std::stop_token stop = {}) {
    return transport->connect(tests::soon(), stop);
  }
  ConnectError failure() {
    return tests::thrown_by<ConnectError>([this] { connect(); });
  }
};

}  // namespace

TEST_CASE("The agent's bytes go both ways through an exec", "[transport]") {
  Bench bench;
  bench.on_exec([](WebSocketPeer& peer) {
    peer.send(std::string(1, '\1'));
    peer.send("\1hello");
    while (const auto frame = peer.read()) {
      if (frame->opcode != tests::k_ws_binary) break;
      peer.send("\1" + frame->payload.substr(1));
    }
  });
  const auto stream = bench.connect();
  CHECK_THAT(bench.server.requests()[0].target,
             ContainsSubstring("container=build&stdin=true&stdout=true&stderr=true&"
                               "command=%2F.berth%2Fbin%2Fberth-agent&command=connect"));
  std::string sent(500000, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31);
  std::string got;
  std::size_t offset = 0;
  std::array<char, 9000> buffer;
  while (got.size() < sent.size() + 5) {
    bool idle = true;
    if (offset < sent.size()) {
      const Io io = stream->write(std::string_view(sent).substr(offset));
      REQUIRE(io.state != Io::State::closed);
      offset += io.bytes;
      idle = io.state == Io::State::would_block;
    }
    const Io io = stream->read(buffer);
    REQUIRE(io.state != Io::State::closed);
    got.append(buffer.data(), io.bytes);
    if (io.state == Io::State::moved || stream->buffered() || !idle) continue;
    pollfd entry{stream->fd(), stream->poll_events(offset < sent.size()), 0};
    REQUIRE(::poll(&entry, 1, 20000) == 1);
  }
  CHECK(got == "hello" + sent);
}

TEST_CASE("How `connect` ended says whether to try again", "[transport]") {
  struct Row {
    int code;
    ConnectFailure kind;
  };
  const Row row = GENERATE(Row{69, ConnectFailure::gone}, Row{137, ConnectFailure::gone},
                           Row{126, ConnectFailure::absent}, Row{127, ConnectFailure::absent},
                           Row{75, ConnectFailure::temporary}, Row{70, ConnectFailure::temporary});
  Bench bench;
  bench.exits(row.code, "berth-agent: nobody listens\n");
  const ConnectError error = bench.failure();
  CHECK(error.kind() == row.kind);
  CHECK(error.what() == bench.transport->describe() + ": berth-agent: nobody listens");
  bench.exits(row.code);
  CHECK_THAT(bench.failure().what(),
             ContainsSubstring("without a word (exit code " + std::to_string(row.code) + ")"));
}

TEST_CASE("A program that is not there is absent", "[transport]") {
  Bench bench;
  bench.ends_with(tests::status_json(
      500, "InternalError",
      "Internal error occurred: error executing command in container: failed to start exec: OCI "
      "runtime exec failed: exec: \"/.berth/bin/berth-agent\": stat /.berth/bin/berth-agent: no "
      "such "
      "file or directory"));
  CHECK(bench.failure().kind() == ConnectFailure::absent);
}

TEST_CASE("The pod's status is believed before the exec's end", "[transport]") {
  Bench bench;
  bench.ends_with(tests::status_json(500, "InternalError", "container not found (\"build\")"));
  SECTION("running: try again") {
    const ConnectError error = bench.failure();
    CHECK(error.kind() == ConnectFailure::temporary);
    CHECK_THAT(error.what(), ContainsSubstring("container not found"));
  }
  SECTION("the container has ended") {
    json pod = running();
    pod["status"]["containerStatuses"][0]["state"] = {
        {"terminated", {{"exitCode", 137}, {"reason", "OOMKilled"}}}};
    bench.server.on("GET", k_pod_path, {{.body = pod.dump()}});
    const ConnectError error = bench.failure();
    CHECK(error.kind() == ConnectFailure::gone);
    CHECK_THAT(error.what(), ContainsSubstring("ended with exit code 137: OOMKilled"));
  }
  SECTION("the pod was evicted") {
    json pod = running();
    pod["status"] = {
        {"phase", "Failed"}, {"reason", "Evicted"}, {"message", "The node was low on memory."}};
    bench.server.on("GET", k_pod_path, {{.body = pod.dump()}});
    const ConnectError error = bench.failure();
    CHECK(error.kind() == ConnectFailure::gone);
    CHECK_THAT(error.what(), ContainsSubstring("Evicted: The node was low on memory."));
  }
  SECTION("another pod has its name") {
    bench.server.on("GET", k_pod_path, {{.body = tests::pod_json("p", "9", "u2").dump()}});
    CHECK(bench.failure().kind() == ConnectFailure::gone);
  }
  SECTION("the pod is gone") {
    bench.server.on("GET", k_exec_path, {refusal(404, "NotFound", "pods \"p\" not found")});
    bench.server.on("GET", k_pod_path, {refusal(404, "NotFound", "pods \"p\" not found")});
    CHECK(bench.failure().kind() == ConnectFailure::gone);
  }
  SECTION("nobody can be asked") {
    bench.server.on("GET", k_pod_path, {{.fault = ServerFault::drop}});
    CHECK(bench.failure().kind() == ConnectFailure::temporary);
  }
}

TEST_CASE("An API server that is away is tried again, missing rights are not", "[transport]") {
  Bench bench;
  bench.server.on("GET", k_exec_path, {{.fault = ServerFault::drop}});
  CHECK(bench.failure().kind() == ConnectFailure::temporary);
  bench.server.on("GET", k_exec_path,
                  {refusal(503, "ServiceUnavailable", "apiserver is shutting down")});
  CHECK(bench.failure().kind() == ConnectFailure::temporary);
  bench.server.on("GET", k_exec_path,
                  {refusal(403, "Forbidden", "User \"x\" cannot create resource \"pods/exec\"")});
  CHECK_THROWS_AS(bench.connect(), ApiError);
}

TEST_CASE("An agent that is silent is not waited for beyond the deadline or a stop",
          "[transport]") {
  Bench bench;
  bench.on_exec([](WebSocketPeer& peer) {
    while (peer.read()) {
    }
  });
  try {
    bench.transport->connect(std::chrono::steady_clock::now() + std::chrono::seconds(2), {});
    FAIL("connected");
  } catch (const ConnectError& error) {
    CHECK(error.kind() == ConnectFailure::temporary);
    CHECK_THAT(error.what(), ContainsSubstring("does not answer"));
  }
  std::stop_source source;
  const std::jthread stopper([&] {
    static_cast<void>(bench.server.wait_for("GET", k_exec_path, 2));
    source.request_stop();
  });
  CHECK_THROWS_AS(bench.connect(source.get_token()), support::Cancelled);
}
