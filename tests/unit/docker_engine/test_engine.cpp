#include "tests/support/catch.hpp"
#include "tests/unit/docker_engine/fake_engine.hpp"

#include <nlohmann/json.hpp>

#include <thread>

using namespace berth;
using nlohmann::json;
using tests::Bench;
using tests::ServerFault;

namespace {

std::string frame(char stream, const std::string& payload) {
  std::string bytes{stream, 0, 0, 0, 0, 0};
  bytes += static_cast<char>(payload.size() >> 8);
  bytes += static_cast<char>(payload.size() & 0xff);
  return bytes + payload;
}

}  // namespace

TEST_CASE("the version is agreed on once: the engine's, but not above ours") {
  Bench old("1.41");
  old.server.on("GET", "/v1.41/version", {{.body = R"({"Version":"20.10","Arch":"amd64"})"}});
  CHECK(old.engine.version({}).arch == "amd64");
  CHECK(old.engine.negotiate({}) == "1.41");
  CHECK(old.server.count("GET", "/_ping") == 1);
  CHECK(old.engine.api_at_least(1, 41, {}));
  CHECK_FALSE(old.engine.api_at_least(1, 42, {}));

  Bench newer("1.99");
  CHECK(newer.engine.negotiate({}) == "1.47");
  Bench middle("1.44");
  CHECK(middle.engine.negotiate({}) == "1.44");
}

TEST_CASE("engines that will not do are the operator's to change") {
  const auto message_of = [](const std::string& api) {
    Bench bench(api);
    try {
      bench.engine.negotiate({});
    } catch (const support::OperatorError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(message_of("1.40"), ContainsSubstring("API version is 1.40, Berth needs 1.41"));
  CHECK_THAT(message_of("banana"), ContainsSubstring("'banana' makes no sense"));
  Bench none;
  none.server.on("GET", "/_ping", {{.body = "<html>"}});
  CHECK_THROWS_WITH(none.engine.negotiate({}), ContainsSubstring("names no API version"));
}

TEST_CASE("containers: what goes over the wire, and what comes back as values") {
  Bench bench;
  auto& [server, engine] = bench;
  server.on("POST", "/v1.41/containers/create",
            {{.status = 201, .body = R"({"Id":"abc","Warnings":[]})"}});
  CHECK(engine.create_container("berth-1 x", json{{"Image", "sha256:1"}}, "linux/arm64", {}) ==
        "abc");
  const auto create = server.requests().back();
  CHECK(create.target == "/v1.41/containers/create?name=berth-1%20x&platform=linux%2Farm64");
  CHECK(create.body == R"({"Image":"sha256:1"})");
  CHECK(create.header("Content-Type") == "application/json");

  server.on("POST", "/v1.41/containers/abc/start", {{.status = 204}, {.status = 304}});
  CHECK(engine.start_container("abc", {}));
  CHECK_FALSE(engine.start_container("abc", {}));

  server.on("POST", "/v1.41/containers/abc/kill",
            {{.status = 204},
             {.status = 409, .body = R"({"message":"is not running"})"},
             {.status = 404, .body = "{}"}});
  CHECK(engine.kill_container("abc", "SIGTERM", {}));
  CHECK(server.requests().back().target == "/v1.41/containers/abc/kill?signal=SIGTERM");
  CHECK_FALSE(engine.kill_container("abc", "SIGTERM", {}));
  CHECK_FALSE(engine.kill_container("abc", "SIGTERM", {}));

  server.on(
      "DELETE", "/v1.41/containers/abc",
      {{.status = 204},
       {.status = 409, .body = R"({"message":"removal of container abc is already in progress"})"},
       {.status = 404, .body = "{}"}});
  CHECK(engine.remove_container("abc", {}) == docker::Removal::removed);
  CHECK(server.requests().back().target == "/v1.41/containers/abc?force=1&v=1");
  CHECK(engine.remove_container("abc", {}) == docker::Removal::in_progress);
  CHECK(engine.remove_container("abc", {}) == docker::Removal::absent);

  CHECK_FALSE(engine.find_container("absent", {}).has_value());
  server.on("GET", "/v1.41/containers/json", {{.body = "[]"}});
  CHECK(engine.list_containers({"berth.attempt=x", "k"}, {}).empty());
  CHECK(server.requests().back().target ==
        "/v1.41/containers/"
        "json?all=1&filters=%7B%22label%22%3A%5B%22berth.attempt%3Dx%22%2C%22k%22%5D%7D");
  server.on("POST", "/v1.41/containers/abc/wait", {{.body = R"({"StatusCode":7})"}});
  CHECK(engine.wait_container("abc", {}) == 7);
}

TEST_CASE("a log is both streams without their frames, and no longer than wanted") {
  Bench bench;
  bench.server.on(
      "GET", "/v1.41/containers/abc/logs",
      {{.body = frame(1, "one\n") + frame(2, "two\n") + frame(1, "three\n"), .chunk = 5}});
  CHECK(bench.engine.container_logs("abc", 20, 1000, {}) == "one\ntwo\nthree\n");
  CHECK(bench.server.requests().back().target ==
        "/v1.41/containers/abc/logs?stdout=1&stderr=1&tail=20");
  CHECK(bench.engine.container_logs("abc", 20, 6, {}) == "three\n");
  std::string large;
  for (int i = 0; i < 300; ++i)
    large += frame(1, std::string(1000, static_cast<char>('a' + i % 26)));
  large += frame(1, "the end");
  bench.server.on("GET", "/v1.41/containers/abc/logs", {{.body = large, .chunk = 999}});
  CHECK(bench.engine.container_logs("abc", 20, 7, {}) == "the end");
  bench.server.on("GET", "/v1.41/containers/tty/logs", {{.body = "a terminal's log"}});
  CHECK(bench.engine.container_logs("tty", 20, 1000, {}) == "a terminal's log");
}

TEST_CASE("images are found by name, tag and digest") {
  Bench bench;
  bench.server.on("GET", "/v1.41/images/*", {{.body = R"({"Id":"sha256:1"})"}});
  CHECK(bench.engine.find_image("registry:5000/a/b:1", {})->id == "sha256:1");
  CHECK(bench.server.requests().back().target == "/v1.41/images/registry%3A5000/a/b%3A1/json");
  bench.server.on("GET", "/v1.41/images/*",
                  {{.status = 404, .body = R"({"message":"No such image"})"}});
  CHECK_FALSE(bench.engine.find_image("absent", {}).has_value());
}

TEST_CASE("pulls name image, tag or digest, platform and login, and read the report") {
  Bench bench;
  auto& [server, engine] = bench;
  server.on("POST", "/v1.41/images/create",
            {{.body = "{\"status\":\"Pulling fs layer\",\"id\":\"a\"}\r\n{\"status\":\"Download "
                      "complete\",\"id\":\"a\"}\r\n",
              .chunk = 11}});
  std::vector<std::string> lines;
  engine.pull_image({.image = "registry.example.com:5000/a/b",
                     .platform = "linux/arm64",
                     .registry_auth = support::Secret("TOKEN")},
                    [&](const docker::PullProgress& progress) { lines.push_back(progress.status); },
                    {});
  CHECK(lines == std::vector<std::string>{"Pulling fs layer", "Download complete"});
  const auto request = server.requests().back();
  CHECK(request.target ==
        "/v1.41/images/"
        "create?fromImage=registry.example.com%3A5000%2Fa%2Fb&tag=latest&platform=linux%2Farm64");
  CHECK(request.header("X-Registry-Auth") == "TOKEN");

  const std::string digest = "sha256:" + std::string(64, 'a');
  engine.pull_image({.image = "debian@" + digest}, {}, {});
  CHECK(server.requests().back().target ==
        "/v1.41/images/create?fromImage=debian&tag=sha256%3A" + std::string(64, 'a'));
  CHECK(server.requests().back().header("X-Registry-Auth").empty());
}

TEST_CASE("a failed pull says what kind of failure, whether by status or in the stream") {
  Bench bench;
  const auto failure = [&] {
    try {
      bench.engine.pull_image({.image = "a"}, {}, {});
    } catch (const docker::PullError& error) {
      CHECK_THAT(error.what(), StartsWith("docker engine at tcp://"));
      CHECK_THAT(error.what(), ContainsSubstring("pull image 'a': "));
      return error.kind();
    }
    FAIL("no error");
    return docker::PullFailure::other;
  };
  bench.server.on("POST", "/v1.41/images/create",
                  {{.status = 404,
                    .body = R"({"message":"manifest for a:latest not found: manifest unknown"})"}});
  CHECK(failure() == docker::PullFailure::missing);
  bench.server.on("POST", "/v1.41/images/create",
                  {{.body = "{\"status\":\"x\"}\n{\"errorDetail\":{\"message\":\"unauthorized: "
                            "x\"},\"error\":\"unauthorized: x\"}\n"}});
  CHECK(failure() == docker::PullFailure::denied);
}

TEST_CASE("networks and volumes") {
  Bench bench;
  auto& [server, engine] = bench;
  server.on("POST", "/v1.41/networks/create",
            {{.status = 201, .body = R"({"Id":"n1","Warning":""})"}});
  CHECK(engine.create_network(json{{"Name", "net"}}, {}) == "n1");
  server.on("DELETE", "/v1.41/networks/n1", {{.status = 204}, {.status = 404, .body = "{}"}});
  CHECK(engine.remove_network("n1", {}) == docker::Removal::removed);
  CHECK(engine.remove_network("n1", {}) == docker::Removal::absent);
  CHECK_FALSE(engine.find_network("absent", {}).has_value());
  server.on("GET", "/v1.41/networks", {{.body = "[]"}});
  CHECK(engine.list_networks({"a=b"}, {}).empty());

  server.on("POST", "/v1.41/volumes/create",
            {{.status = 201, .body = R"({"Name":"v","CreatedAt":"t","Labels":{"a":"b"}})"}});
  CHECK(engine.create_volume(json{{"Name", "v"}}, {}).labels.at("a") == "b");
  server.on("DELETE", "/v1.41/volumes/v",
            {{.status = 204},
             {.status = 404, .body = "{}"},
             {.status = 409, .body = R"({"message":"volume is in use - [c9]"})"}});
  CHECK(engine.remove_volume("v", {}) == docker::Removal::removed);
  CHECK(engine.remove_volume("v", {}) == docker::Removal::absent);
  try {
    engine.remove_volume("v", {});
    FAIL("no error");
  } catch (const docker::EngineError& error) {
    CHECK(error.conflict());
    CHECK_THAT(error.what(), ContainsSubstring("remove volume 'v': volume is in use"));
  }
  server.on("GET", "/v1.41/volumes", {{.body = R"({"Volumes":[]})"}});
  CHECK(engine.list_volumes({}, {}).empty());
  CHECK_FALSE(engine.find_volume("absent", {}).has_value());
}

TEST_CASE("files and execs") {
  Bench bench;
  auto& [server, engine] = bench;
  server.on("PUT", "/v1.41/containers/c/archive", {{.status = 200}});
  engine.put_archive("c", "/.berth/bin", "tar bytes", {});
  CHECK(server.requests().back().target == "/v1.41/containers/c/archive?path=%2F.berth%2Fbin");
  CHECK(server.requests().back().body == "tar bytes");
  server.on("HEAD", "/v1.41/containers/c/archive",
            {{.headers = {{"X-Docker-Container-Path-Stat", "eyJuYW1lIjoic2giLCJzaXplIjo3fQ=="}}}});
  CHECK(engine.stat_path("c", "/x", {})->size == 7);
  server.on("GET", "/v1.41/containers/c/archive", {{.body = "tar"}, {.status = 404, .body = "{}"}});
  CHECK(engine.get_archive("c", "/x", 100, {}) == "tar");
  CHECK_FALSE(engine.get_archive("c", "/x", 100, {}).has_value());

  server.on("POST", "/v1.41/containers/c/exec", {{.status = 201, .body = R"({"Id":"e1"})"}});
  CHECK(engine.create_exec("c", {.cmd = {"a", "b"}, .user = "0:0", .env = {"K=v"}}, {}) == "e1");
  CHECK(
      json::parse(server.requests().back().body) ==
      json::parse(
          R"({"Cmd":["a","b"],"AttachStdin":true,"AttachStdout":true,"AttachStderr":true,"Tty":false,"User":"0:0","Env":["K=v"]})"));
  server.on("POST", "/v1.41/exec/e1/start",
            {{.status = 409, .body = R"({"message":"Container c is not running"})"}});
  try {
    engine.start_exec("e1", std::chrono::steady_clock::now() + std::chrono::seconds(20), {});
    FAIL("no error");
  } catch (const docker::EngineError& error) {
    CHECK(error.conflict());
  }
}
