#include "executor/kubernetes/api/exec.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/websocket_peer.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <thread>

using namespace berth;
using namespace berth::kubernetes;
using tests::Cluster;
using tests::k_exec_path;
using tests::refusal;
using tests::ServerFault;
using tests::ServerRequest;
using tests::soon;
using tests::to_bytes;
using tests::WebSocketFrame;
using tests::WebSocketPeer;

namespace {

const std::string k_v5 = "v5.channel.k8s.io";

struct Bench : Cluster {
  using Cluster::Cluster;
  void on_exec(std::function<void(WebSocketPeer&)> talk, const std::string& protocol = k_v5) {
    server.on("GET", k_exec_path, [talk = std::move(talk), protocol](const ServerRequest& request) {
      return tests::websocket_reply(request, protocol, talk);
    });
  }
  ExecOutput run(const std::string& input = "", std::stop_token stop = {}) {
    return run_exec(client, k_request, input, 1 << 20, soon(), stop);
  }
  const ExecRequest k_request{
      .name_space = "ci", .pod = "p", .container = "build", .command = {"sh", "-c", "a b&c", ""}};
};

/// Reads input until its end, in v5's way.
std::string input_of(WebSocketPeer& peer) {
  std::string input;
  while (const std::optional<WebSocketFrame> frame = peer.read()) {
    if (frame->opcode != tests::k_ws_binary) continue;
    if (frame->payload == std::string("\xff\0", 2)) break;
    if (!frame->payload.empty() && frame->payload[0] == 0) input += frame->payload.substr(1);
  }
  return input;
}

void end_with(WebSocketPeer& peer, const std::string& status) {
  peer.send("\3" + status);
  peer.close();
  while (peer.read()) {
  }
}

}  // namespace

TEST_CASE("A program gets its input to the end, and its streams come back", "[exec]") {
  Bench bench;
  bench.on_exec([](WebSocketPeer& peer) {
    for (const char channel : {'\1', '\2', '\3'}) peer.send(std::string(1, channel));
    const std::string input = input_of(peer);
    peer.send("\1got " + std::to_string(input.size()));
    peer.send("\2some ");
    peer.send("\2trouble");
    end_with(peer, R"({"status":"Success"})");
  });
  const ExecOutput output = bench.run(std::string(300000, 'x'));
  CHECK(output.result.exit_code == 0);
  CHECK(output.output == "got 300000");
  CHECK(output.errors == "some trouble");
  const ServerRequest request = bench.server.requests().at(0);
  CHECK(request.target == std::string(k_exec_path) +
                              "?container=build&stdin=true&stdout=true&stderr=true&command=sh"
                              "&command=-c&command=a%20b%26c&command=");
  CHECK(request.header("Sec-WebSocket-Protocol") == "v5.channel.k8s.io, v4.channel.k8s.io");
  CHECK(request.header("Authorization") == "Bearer token-1");
}

TEST_CASE("A server of before v5 is spoken to without an end of input", "[exec]") {
  Bench bench;
  bench.on_exec(
      [](WebSocketPeer& peer) {
        const auto frame = peer.read();
        peer.send("\1" + (frame ? frame->payload.substr(1) : ""));
        end_with(peer, R"({"status":"Success"})");
      },
      "v4.channel.k8s.io");
  CHECK(bench.run("hi").output == "hi");
  const auto stream = open_exec(bench.client, bench.k_request, soon(), {});
  CHECK(stream->protocol() == "v4.channel.k8s.io");
  CHECK_FALSE(stream->close_input());
}

TEST_CASE("The exit code and the server's words come from the status", "[exec]") {
  Bench bench;
  const auto ends = [&](const std::string& status) {
    bench.on_exec([status](WebSocketPeer& peer) { end_with(peer, status); });
    return bench.run().result;
  };
  for (const int code : {1, 2, 69, 126, 127, 137, 255}) {
    const ExecResult result = ends(tests::status_json(
        500, "NonZeroExitCode", "command terminated",
        {{"causes", {{{"reason", "ExitCode"}, {"message", std::to_string(code)}}}}}));
    CHECK(result.exit_code == code);
  }
  const ExecResult lost =
      ends(tests::status_json(500, "InternalError", "container not found (\"build\")"));
  CHECK_FALSE(lost.exit_code.has_value());
  CHECK(lost.message == "container not found (\"build\")");
}

TEST_CASE("A refused exec has the server's words", "[exec]") {
  Bench bench;
  bench.server.on("GET", k_exec_path, {refusal(404, "NotFound", "pods \"p\" not found")});
  const ApiError error = bench.refused([&] { bench.run(); });
  CHECK(error.not_found());
  CHECK_THAT(error.what(),
             ContainsSubstring("exec in container 'build' of pod 'ci/p': pods \"p\" not found"));
  bench.server.on("GET", k_exec_path, {{.status = 200, .body = "welcome"}});
  CHECK_THAT(bench.refused([&] { bench.run(); }).hint(), ContainsSubstring("Upgrade header"));
  bench.on_exec([](WebSocketPeer&) {}, "channel.k8s.io");
  CHECK_THROWS_WITH(bench.run(), ContainsSubstring("speaks neither"));
  bench.server.on("GET", k_exec_path, {{.fault = ServerFault::drop}});
  CHECK_THROWS_AS(bench.run(), ApiUnreachable);
}

TEST_CASE("An exec is made once, whatever happens to it", "[exec]") {
  Bench bench;
  bench.server.on("GET", k_exec_path, {{.fault = ServerFault::drop}});
  CHECK_THROWS_AS(bench.run(), ApiUnreachable);
  bench.server.on("GET", k_exec_path, {refusal(503, "", "x")});
  CHECK_THROWS_AS(bench.run(), ApiError);
  CHECK(bench.server.count("GET", k_exec_path) == 2);
}

TEST_CASE("Cut at every byte, an exec never has a false success", "[exec]") {
  const std::string stream =
      to_bytes({tests::k_ws_binary, true, std::string(1, '\1')}) +
      to_bytes({tests::k_ws_binary, true, "\1output"}) +
      to_bytes({tests::k_ws_binary, true, "\2errors"}) +
      to_bytes({tests::k_ws_binary, true, std::string("\3") + R"({"status":"Success"})"}) +
      to_bytes({tests::k_ws_close, true, std::string("\x03\xe8")});
  const std::size_t told = stream.size() - 4;
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    Bench bench;
    bench.on_exec([&](WebSocketPeer& peer) { peer.write(stream.substr(0, cut)); });
    const ExecOutput output = bench.run();
    CHECK(output.result.exit_code.has_value() == (cut >= told));
    if (cut < told) CHECK_FALSE(output.result.message.empty());
    CHECK(std::string("output").starts_with(output.output));
  }
}

TEST_CASE("A program that does not end is left at the deadline or a stop", "[exec]") {
  Bench bench;
  bench.on_exec([](WebSocketPeer& peer) {
    while (peer.read()) {
    }
  });
  const ExecOutput output =
      run_exec(bench.client, bench.k_request, "", 10,
               std::chrono::steady_clock::now() + std::chrono::seconds(2), {});
  CHECK_FALSE(output.result.exit_code.has_value());
  CHECK(output.result.message == "it did not end in time");
  std::stop_source source;
  const std::jthread stopper([&] {
    static_cast<void>(bench.server.wait_for("GET", k_exec_path, 2));
    source.request_stop();
  });
  CHECK_THROWS_AS(bench.run("", source.get_token()), support::Cancelled);
}

TEST_CASE("More output than wanted is dropped", "[exec]") {
  Bench bench;
  bench.on_exec([](WebSocketPeer& peer) {
    for (int i = 0; i < 50; ++i) peer.send("\1" + std::string(10000, 'x'));
    end_with(peer, R"({"status":"Success"})");
  });
  const ExecOutput output = run_exec(bench.client, bench.k_request, "", 25000, soon(), {});
  CHECK(output.output.size() == 25000);
  CHECK(output.result.exit_code == 0);
}

TEST_CASE("An exec is told of like any call", "[exec]") {
  std::vector<net::HttpCall> calls;
  ClientOptions options = tests::quick_options();
  options.on_call = [&](const net::HttpCall& call) { calls.push_back(call); };
  Bench bench(options);
  bench.on_exec([](WebSocketPeer& peer) { end_with(peer, R"({"status":"Success"})"); });
  bench.run();
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].path == k_exec_path);
  CHECK(calls[0].status == 101);
}
