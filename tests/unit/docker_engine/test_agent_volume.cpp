#include "executor/docker/engine/agent_volume.hpp"
#include "executor/docker/engine/tar.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/docker_engine/elf.hpp"
#include "tests/unit/docker_engine/fake_engine.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <thread>

using namespace berth;
using nlohmann::json;
using tests::ServerReply;
using tests::ServerRequest;

namespace {

std::string query_of(const ServerRequest& request) {
  return request.target.substr(std::min(request.target.size(), request.target.find('?')));
}

/// Volumes and never-started containers of an engine: enough for the agent.
struct VolumeEngine {
  tests::Bench bench;
  tests::TempDir programs;
  tests::TempDir state;
  std::mutex mutex;
  /// Volume -> time of creation.
  std::map<std::string, std::string> volumes;
  /// Name -> content.
  std::map<std::string, std::string> files;
  std::map<std::string, json> containers;
  unsigned next = 0;
  std::string arch = "amd64";

  VolumeEngine() {
    write_program("one");
    auto& server = bench.server;
    server.on("GET", "/v1.41/version", [this](const ServerRequest&) {
      return ServerReply{.body = json{{"Arch", arch}}.dump()};
    });
    server.on("POST", "/v1.41/volumes/create", [this](const ServerRequest& request) {
      const std::lock_guard lock(mutex);
      const std::string name = json::parse(request.body)["Name"];
      volumes.try_emplace(name, "created-" + std::to_string(next++));
      return volume(name);
    });
    server.on("GET", "/v1.41/volumes/*", [this](const ServerRequest& request) {
      const std::lock_guard lock(mutex);
      const std::string name = request.target.substr(std::string("/v1.41/volumes/").size());
      return volumes.contains(name) ? volume(name) : ServerReply{.status = 404, .body = "{}"};
    });
    server.on("POST", "/v1.41/containers/create", [this](const ServerRequest& request) {
      const std::lock_guard lock(mutex);
      const std::string id = "c" + std::to_string(next++);
      containers[id] = json::parse(request.body);
      return ServerReply{.status = 201, .body = json{{"Id", id}}.dump()};
    });
    server.on("GET", "/v1.41/containers/*", [this](const ServerRequest&) {
      const std::lock_guard lock(mutex);
      if (!files.contains("complete")) return ServerReply{.status = 404, .body = "{}"};
      docker::TarWriter tar;
      tar.add({.name = "complete", .content = files["complete"]});
      return ServerReply{.body = tar.finish()};
    });
    server.on("GET", "/v1.41/containers/json", [this](const ServerRequest&) {
      const std::lock_guard lock(mutex);
      json list = json::array();
      for (const auto& [id, body] : containers)
        list.push_back({{"Id", id},
                        {"Labels", body["Labels"]},
                        {"Created", body.value("Created", 0x7fffffffff)}});
      return ServerReply{.body = list.dump()};
    });
    server.on("DELETE", "/v1.41/containers/*", [this](const ServerRequest& request) {
      const std::lock_guard lock(mutex);
      const std::size_t start = std::string("/v1.41/containers/").size();
      containers.erase(request.target.substr(start, request.target.find('?') - start));
      return ServerReply{.status = 204};
    });
    server.on("PUT", "/v1.41/containers/*", [this](const ServerRequest& request) {
      const std::lock_guard lock(mutex);
      CHECK(query_of(request) == "?path=%2F.berth%2Fbin");
      // The name is the header's first field.
      files[request.body.c_str()] = docker::first_file(request.body).value();
      order.push_back(request.body.c_str());
      return ServerReply{.status = 200};
    });
  }

  ServerReply volume(const std::string& name) {
    return {.status = 200, .body = json{{"Name", name}, {"CreatedAt", volumes[name]}}.dump()};
  }
  void write_program(const std::string& text) {
    program = tests::elf(62) + text;
    std::ofstream(programs.path() / "berth-agent") << program;
  }
  docker::AgentVolume ensure() { return docker::ensure_agent_volume(bench.engine, options(), {}); }
  docker::AgentVolumeOptions options() const {
    return {.state_dir = state.path(),
            .program_dir = programs.path(),
            .image = "helper",
            .host = "host-1"};
  }
  std::size_t calls() const { return bench.server.requests().size(); }

  std::string program;
  std::vector<std::string> order;
};

}  // namespace

TEST_CASE("the agent's volume is filled once: program, then marker; later one call does") {
  VolumeEngine engine;
  const docker::AgentVolume volume = engine.ensure();
  CHECK(volume.name == "berth-agent-" + sandbox::short_digest(engine.program) + "-amd64");
  CHECK(volume.arch == "amd64");
  CHECK(engine.files.at("berth-agent") == engine.program);
  CHECK(engine.order == std::vector<std::string>{"berth-agent", "complete"});
  CHECK(engine.containers.empty());

  const std::size_t before = engine.calls();
  CHECK(engine.ensure().name == volume.name);
  CHECK(engine.calls() == before + 1);
  CHECK(engine.order.size() == 2);
}

TEST_CASE("the container it is filled through is mounted without copying, and never started") {
  VolumeEngine engine;
  engine.ensure();
  json body;
  for (const ServerRequest& request : engine.bench.server.requests())
    if (request.target.starts_with("/v1.41/containers/create")) body = json::parse(request.body);
  CHECK(body["Image"] == "helper");
  const json mount = body["HostConfig"]["Mounts"][0];
  CHECK(mount["Target"] == "/.berth/bin");
  CHECK(mount["Type"] == "volume");
  CHECK(mount["VolumeOptions"]["NoCopy"] == true);
  CHECK(body["Labels"]["berth.host"] == "host-1");
  for (const ServerRequest& request : engine.bench.server.requests())
    CHECK_FALSE(request.target.ends_with("/start"));
}

TEST_CASE("a note is only believed with the engine's word") {
  VolumeEngine engine;
  const std::string name = engine.ensure().name;
  engine.order.clear();
  SECTION("the volume was removed") {
    engine.volumes.clear();
    engine.files.clear();
    engine.ensure();
    CHECK(engine.order.size() == 2);
  }
  SECTION("it was removed and made again empty, as a mount does") {
    engine.volumes[name] = "later";
    engine.files.clear();
    engine.ensure();
    CHECK(engine.order.size() == 2);
    CHECK(engine.ensure().name == name);
    CHECK(engine.order.size() == 2);
  }
  SECTION("the state folder was lost: the marker says that it is complete") {
    std::filesystem::remove_all(engine.state.path());
    std::filesystem::create_directory(engine.state.path());
    engine.ensure();
    CHECK(engine.order.empty());
  }
  SECTION("a fill that was cut off has no marker") {
    std::filesystem::remove_all(engine.state.path());
    std::filesystem::create_directory(engine.state.path());
    engine.files.erase("complete");
    engine.ensure();
    CHECK(engine.order.size() == 2);
  }
  SECTION("a marker of another program is none") {
    std::filesystem::remove_all(engine.state.path());
    std::filesystem::create_directory(engine.state.path());
    engine.files["complete"] = "000000000000";
    engine.ensure();
    CHECK(engine.order.size() == 2);
  }
  SECTION("the note is damaged") {
    for (const auto& entry : std::filesystem::directory_iterator(engine.state.path()))
      if (entry.path().extension() == ".json") std::ofstream(entry.path()) << "{\"volume\":7";
    CHECK(engine.ensure().name == name);
    CHECK(engine.order.empty());
  }
}

TEST_CASE("another program gets another volume") {
  VolumeEngine engine;
  const std::string first = engine.ensure().name;
  engine.write_program("two, longer");
  engine.files.clear();
  CHECK(engine.ensure().name != first);
  CHECK(engine.files.at("berth-agent") == engine.program);
}

TEST_CASE("what killed fillers left is removed: this host's at once, others' when old") {
  VolumeEngine engine;
  const auto left = [](const std::string& host, std::int64_t created) {
    return json{{"Labels", {{"com.gitlab.gitlab-runner.type", "agent-fill"}, {"berth.host", host}}},
                {"Created", created}};
  };
  engine.containers["mine"] = left("host-1", 0x7fffffffff);
  engine.containers["theirs"] = left("host-2", 0x7fffffffff);
  engine.containers["old"] = left("host-2", 1000);
  engine.ensure();
  CHECK(engine.containers.size() == 1);
  CHECK(engine.containers.contains("theirs"));
}

TEST_CASE("jobs that start at once fill it once") {
  VolumeEngine engine;
  {
    std::vector<std::jthread> jobs;
    for (int i = 0; i < 6; ++i) jobs.emplace_back([&] { engine.ensure(); });
  }
  CHECK(engine.order == std::vector<std::string>{"berth-agent", "complete"});
}

TEST_CASE("a failure leaves no container and no note") {
  VolumeEngine engine;
  engine.bench.server.on("PUT", "/v1.41/containers/*",
                         {{.status = 500, .body = R"({"message":"no space left on device"})"}});
  CHECK_THROWS_WITH(engine.ensure(), ContainsSubstring("no space left on device"));
  CHECK(engine.containers.empty());
  CHECK_FALSE(engine.files.contains("complete"));
  engine.arch = "arm64";
  CHECK_THROWS_AS(engine.ensure(), support::OperatorError);
}
