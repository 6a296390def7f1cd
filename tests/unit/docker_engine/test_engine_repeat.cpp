#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/docker_engine/fake_engine.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>

using namespace berth;
using nlohmann::json;
using tests::Bench;
using tests::HttpServer;
using tests::ServerFault;
using tests::ServerReply;

namespace {

const ServerReply k_drop{.fault = ServerFault::drop};
const ServerReply k_reset{.body = std::string(5000, 'x'), .fault = ServerFault::reset};
const ServerReply k_500{.status = 500, .body = R"({"message":"internal"})"};
const ServerReply k_gone{.status = 404, .body = R"({"message":"no such thing"})"};

}  // namespace

TEST_CASE("reading is repeated after lost replies and errors of the engine") {
  Bench bench;
  bench.server.on("GET", "/v1.41/containers/c/json",
                  {k_drop,
                   k_reset,
                   {.status = 503, .headers = {{"Retry-After", "0"}}},
                   {.status = 429},
                   k_500,
                   {.body = R"({"Id":"c"})"}});
  CHECK(bench.engine.find_container("c", {})->id == "c");
  CHECK(bench.server.count("GET", "/v1.41/containers/c/json") == 6);
}

TEST_CASE("a 500 that stays is the engine's verdict after three tries, a truncated answer too") {
  Bench bench;
  bench.server.on("GET", "/v1.41/info", {k_500});
  CHECK_THROWS_WITH(bench.engine.info({}), ContainsSubstring(": info: internal"));
  CHECK(bench.server.count("GET", "/v1.41/info") == 3);
  bench.server.on("GET", "/v1.41/version", {{.body = R"({"Version":"20)"}});
  CHECK_THROWS_AS(bench.engine.version({}), support::SystemError);
  CHECK(bench.server.count("GET", "/v1.41/version") == 1);
}

TEST_CASE("refusals are not repeated") {
  Bench bench;
  bench.server.on("GET", "/v1.41/info", {{.status = 403, .body = R"({"message":"no"})"}});
  CHECK_THROWS_AS(bench.engine.info({}), docker::EngineError);
  CHECK(bench.server.count("GET", "/v1.41/info") == 1);
}

TEST_CASE("starting is not repeated after a 500, but after a lost reply") {
  Bench bench;
  bench.server.on("POST", "/v1.41/containers/c/start", {k_500});
  CHECK_THROWS_AS(bench.engine.start_container("c", {}), docker::EngineError);
  CHECK(bench.server.count("POST", "/v1.41/containers/c/start") == 1);
  bench.server.on("POST", "/v1.41/containers/d/start", {k_drop, {.status = 304}});
  CHECK_FALSE(bench.engine.start_container("d", {}));
}

TEST_CASE("a container whose reply was lost is found again by its name and labels") {
  Bench bench;
  const json body{{"Image", "x"}, {"Labels", {{"berth.attempt", "a1"}}}};
  const ServerReply taken{.status = 409, .body = R"({"message":"the name is already in use"})"};
  bench.server.on("POST", "/v1.41/containers/create", {k_drop, taken});
  bench.server.on(
      "GET", "/v1.41/containers/berth-1/json",
      {{.body = R"({"Id":"mine","Config":{"Labels":{"berth.attempt":"a1","more":"x"}}})"}});
  CHECK(bench.engine.create_container("berth-1", body, "", {}) == "mine");

  SECTION("but not one of somebody else") {
    bench.server.on("POST", "/v1.41/containers/create", {k_drop, taken});
    bench.server.on("GET", "/v1.41/containers/berth-1/json",
                    {{.body = R"({"Id":"other","Config":{"Labels":{"berth.attempt":"a2"}}})"}});
    CHECK_THROWS_AS(bench.engine.create_container("berth-1", body, "", {}), docker::EngineError);
  }
  SECTION("nor one that was there before the first try") {
    bench.server.on("POST", "/v1.41/containers/create", {taken});
    CHECK_THROWS_AS(bench.engine.create_container("berth-1", body, "", {}), docker::EngineError);
  }
}

TEST_CASE("a removal whose reply was lost counts as one") {
  Bench bench;
  bench.server.on("DELETE", "/v1.41/containers/c", {k_drop, k_gone});
  CHECK(bench.engine.remove_container("c", {}) == docker::Removal::removed);
  bench.server.on("DELETE", "/v1.41/networks/n", {k_500, k_gone});
  CHECK(bench.engine.remove_network("n", {}) == docker::Removal::absent);
}

TEST_CASE("an engine that was never there is not waited for long, one that went away is") {
  const tests::TempDir dir;
  const std::string host = "unix://" + (dir.path() / "docker.sock").string();
  docker::EngineOptions options = Bench::options();
  options.first_patience = std::chrono::milliseconds(20);
  std::atomic<int> calls = 0;
  options.on_call = [&](const net::HttpCall&) { ++calls; };
  docker::Engine engine(
      docker::resolve_address({.host = host}, [](const std::string&) { return ""; }), options);
  try {
    engine.info({});
    FAIL("no error");
  } catch (const docker::EngineUnreachable& error) {
    CHECK(error.fault() == support::Fault::operator_);
    CHECK(error.what() ==
          "docker engine at " + host + ": ping: cannot connect: No such file or directory");
    CHECK_THAT(error.hint(), ContainsSubstring("is the engine running"));
  }
  CHECK(calls > 1);

  const ServerReply pong{.headers = {{"Api-Version", "1.41"}}};
  auto first =
      std::make_unique<HttpServer>(HttpServer::Options{.unix_socket = dir.path() / "docker.sock"});
  first->on("GET", "/_ping", {pong});
  CHECK(engine.negotiate({}) == "1.41");
  first.reset();
  std::filesystem::remove(dir.path() / "docker.sock");
  const int before = calls;
  std::unique_ptr<HttpServer> second;
  std::jthread restarter([&] {
    while (calls < before + 3) std::this_thread::yield();
    second = std::make_unique<HttpServer>(
        HttpServer::Options{.unix_socket = dir.path() / "docker.sock"});
    second->on("GET", "/v1.41/info", {{.body = R"({"ID":"back"})"}});
  });
  // Between the listener's start and its table the answer is a 404.
  std::string id;
  while (id.empty()) {
    try {
      id = engine.info({}).id;
    } catch (const docker::EngineError&) {
    }
  }
  CHECK(id == "back");
}

TEST_CASE("a stop ends the waiting between tries") {
  Bench bench;
  docker::EngineOptions options = Bench::options();
  options.backoff = {std::chrono::hours(1), std::chrono::hours(1)};
  options.patience = std::chrono::hours(9);
  docker::Engine engine(bench.engine.address(), options);
  CHECK(engine.negotiate({}) == "1.41");
  bench.server.on("GET", "/v1.41/info", {k_drop});
  std::stop_source stop;
  std::jthread stopper([&] {
    bench.server.wait_for("GET", "/v1.41/info", 1);
    stop.request_stop();
  });
  CHECK_THROWS_AS(engine.info(stop.get_token()), support::Cancelled);
}

TEST_CASE("calls can be counted") {
  Bench bench;
  std::vector<net::HttpCall> calls;
  docker::EngineOptions options = Bench::options();
  options.on_call = [&](const net::HttpCall& call) { calls.push_back(call); };
  docker::Engine engine(bench.engine.address(), options);
  CHECK_FALSE(engine.find_container("absent", {}).has_value());
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].path == "/_ping");
  CHECK(calls[1].path == "/v1.41/containers/absent/json");
  CHECK(calls[1].status == 404);
}
