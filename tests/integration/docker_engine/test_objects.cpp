#include "executor/docker/engine/image_pull.hpp"
#include "tests/integration/docker_engine/engine_under_test.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace berth;
using tests::EngineUnderTest;

namespace {

class Silent final : public core::Console {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view) override {}
};

}  // namespace

TEST_CASE("the engine tells who it is") {
  EngineUnderTest engine;
  const docker::EngineVersion version = engine->version({});
  CHECK_FALSE(version.version.empty());
  CHECK_FALSE(version.arch.empty());
  CHECK(engine->api_at_least(1, 41, {}));
  CHECK(engine->info({}).cpus > 0);
}

TEST_CASE("networks and volumes are made, found and removed") {
  EngineUnderTest engine;
  const nlohmann::json labels{{"berth.test", engine.label().substr(11)}};
  const std::string id = engine->create_network(
      {{"Name", engine.name("n")}, {"CheckDuplicate", true}, {"Labels", labels}}, {});
  const auto network = engine->find_network(id, {});
  REQUIRE(network.has_value());
  CHECK(network->name == engine.name("n"));
  CHECK_FALSE(network->subnets.empty());
  CHECK(engine->list_networks({engine.label()}, {}).size() == 1);
  CHECK_THROWS_AS(
      engine->create_network({{"Name", engine.name("n")}, {"CheckDuplicate", true}}, {}),
      docker::EngineError);
  CHECK(engine->remove_network(id, {}) == docker::Removal::removed);
  CHECK(engine->remove_network(id, {}) == docker::Removal::absent);
  CHECK_FALSE(engine->find_network(id, {}).has_value());

  const docker::VolumeInfo volume =
      engine->create_volume({{"Name", engine.name("v")}, {"Labels", labels}}, {});
  CHECK(volume.name == engine.name("v"));
  CHECK_FALSE(volume.created_at.empty());
  CHECK(engine->create_volume({{"Name", engine.name("v")}}, {}).created_at == volume.created_at);
  CHECK(engine->find_volume(engine.name("v"), {})->labels.at("berth.test") == labels["berth.test"]);
  CHECK(engine->list_volumes({engine.label()}, {}).size() == 1);
  CHECK(engine->remove_volume(engine.name("v"), {}) == docker::Removal::removed);
  CHECK(engine->remove_volume(engine.name("v"), {}) == docker::Removal::absent);
}

TEST_CASE("images: present, absent, and a registry that nobody answers for") {
  EngineUnderTest engine;
  const auto image = engine->find_image("busybox:latest", {});
  REQUIRE(image.has_value());
  CHECK(engine->find_image(image->id, {})->id == image->id);
  CHECK_FALSE(engine->find_image("berth.example.com/no/such:image", {}).has_value());

  Silent console;
  const auto ensure = [&](const std::string& name, const std::string& policy) {
    return docker::ensure_images(*engine, {{.image = name, .policies = {policy}}}, {}, console,
                                 {.budget = std::chrono::milliseconds(0)}, {});
  };
  CHECK(ensure("busybox:latest", "if-not-present").at(0).info.id == image->id);
  CHECK_THROWS_AS(ensure("berth.example.com/no/such:image", "never"), support::JobError);
  try {
    ensure("127.0.0.1:1/no/such:image", "always");
    FAIL("no error");
  } catch (const support::Error& error) {
    CHECK(error.fault() == support::Fault::infrastructure);
    CHECK_THAT(error.what(), ContainsSubstring("connection refused"));
  }
}
