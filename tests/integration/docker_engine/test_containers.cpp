#include "executor/docker/engine/tar.hpp"
#include "tests/integration/docker_engine/engine_under_test.hpp"
#include "tests/support/catch.hpp"

#include <thread>

using namespace berth;
using tests::EngineUnderTest;

TEST_CASE("a container's life") {
  EngineUnderTest engine;
  const std::string id =
      engine->create_container(engine.name("a"), engine.body({"sleep", "1000"}), "", {});
  CHECK(engine->find_container(id, {})->state.status == "created");
  CHECK(engine->start_container(id, {}));
  CHECK_FALSE(engine->start_container(id, {}));
  const auto info = engine->find_container(engine.name("a"), {});
  REQUIRE(info.has_value());
  CHECK(info->id == id);
  CHECK(info->name == engine.name("a"));
  CHECK(info->state.running);
  const auto listed = engine->list_containers({engine.label()}, {});
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].id == id);
  CHECK(engine->kill_container(id, "SIGKILL", {}));
  CHECK(engine->wait_container(id, {}) == 137);
  CHECK_FALSE(engine->kill_container(id, "SIGKILL", {}));
  CHECK(engine->remove_container(id, {}) == docker::Removal::removed);
  CHECK(engine->remove_container(id, {}) == docker::Removal::absent);
  CHECK_FALSE(engine->find_container(id, {}).has_value());
}

TEST_CASE("a name that is taken is a conflict; a missing image is not found") {
  EngineUnderTest engine;
  engine->create_container(engine.name("a"), engine.body({"true"}), "", {});
  try {
    engine->create_container(engine.name("a"), engine.body({"true"}), "", {});
    FAIL("no error");
  } catch (const docker::EngineError& error) {
    CHECK(error.conflict());
    CHECK_THAT(error.what(), ContainsSubstring("already in use"));
  }
  nlohmann::json body = engine.body({"true"});
  body["Image"] = "berth.example.com/no/such:image";
  try {
    engine->create_container(engine.name("b"), body, "", {});
    FAIL("no error");
  } catch (const docker::EngineError& error) {
    CHECK(error.not_found());
  }
}

TEST_CASE("the end of a log, both streams, and an exit code") {
  EngineUnderTest engine;
  const std::string many =
      engine.run("a", {"sh", "-c", "for i in $(seq 2000); do echo line $i; done; exit 3"});
  CHECK(engine->wait_container(many, {}) == 3);
  CHECK(engine->container_logs(many, 2, 10000, {}) == "line 1999\nline 2000\n");
  CHECK(engine->container_logs(many, 2000, 6, {}) == " 2000\n");
  const std::string both = engine.run("b", {"sh", "-c", "echo out; echo err >&2"});
  engine->wait_container(both, {});
  const std::string log = engine->container_logs(both, 20, 10000, {});
  CHECK_THAT(log, ContainsSubstring("out\n"));
  CHECK_THAT(log, ContainsSubstring("err\n"));
}

TEST_CASE("a command that cannot be started says so") {
  EngineUnderTest engine;
  const std::string id =
      engine->create_container(engine.name("a"), engine.body({"/no/such/program"}), "", {});
  CHECK_THROWS_WITH(engine->start_container(id, {}),
                    ContainsSubstring("no such file or directory"));
}

TEST_CASE("files go into volumes of containers that were never started, and come back") {
  EngineUnderTest engine;
  engine->create_volume(
      {{"Name", engine.name("v")}, {"Labels", {{"berth.test", engine.name("v")}}}}, {});
  nlohmann::json body = engine.body({"/data/program"});
  body["HostConfig"]["Mounts"] = {{{"Type", "volume"},
                                   {"Source", engine.name("v")},
                                   {"Target", "/data"},
                                   {"VolumeOptions", {{"NoCopy", true}}}}};
  const std::string filler = engine->create_container(engine.name("filler"), body, "", {});
  docker::TarWriter tar;
  tar.add({.name = "program", .content = "#!/bin/sh\necho from the volume\n", .mode = 0755});
  tar.add({.name = "large", .content = std::string(5 << 20, 'x')});
  engine->put_archive(filler, "/data", tar.finish(), {});
  CHECK(engine->stat_path(filler, "/data/large", {})->size == 5 << 20);
  CHECK_FALSE(engine->stat_path(filler, "/data/absent", {}).has_value());
  CHECK(docker::first_file(*engine->get_archive(filler, "/data/program", 1 << 20, {})) ==
        "#!/bin/sh\necho from the volume\n");
  CHECK_FALSE(engine->get_archive(filler, "/data/absent", 1 << 20, {}).has_value());
  try {
    engine->put_archive(filler, "/absent", std::string(3 << 20, 'x'), {});
    FAIL("no error");
  } catch (const docker::EngineError& error) {
    CHECK(error.not_found());
  }
  engine->remove_container(filler, {});
  const std::string id = engine->create_container(engine.name("user"), body, "", {});
  engine->start_container(id, {});
  CHECK(engine->wait_container(id, {}) == 0);
  CHECK(engine->container_logs(id, 10, 1000, {}) == "from the volume\n");
  try {
    engine->remove_volume(engine.name("v"), {});
    FAIL("no error");
  } catch (const docker::EngineError& error) {
    CHECK(error.conflict());
  }
  engine->remove_container(id, {});
  CHECK(engine->remove_volume(engine.name("v"), {}) == docker::Removal::removed);
}

TEST_CASE("a wait ends with a stop") {
  EngineUnderTest engine;
  const std::string id = engine.run("a", {"sleep", "1000"});
  std::stop_source stop;
  std::jthread stopper([&] {
    while (!engine->find_container(id, {})->state.running) std::this_thread::yield();
    stop.request_stop();
  });
  CHECK_THROWS_AS(engine->wait_container(id, stop.get_token()), support::Cancelled);
}
