#include "executor/docker/removal.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/engine_fixture.hpp"

#include <atomic>

using namespace berth;
using docker::AttemptObjects;
using tests::EngineFixture;
using tests::FakeEngine;

namespace {

constexpr std::chrono::milliseconds k_no_pause{0};

}  // namespace

TEST_CASE("objects are found by their labels and removed, once") {
  EngineFixture test;
  const auto mine = test.spec("a1");
  const auto other = test.spec("a2");
  test.make_objects(mine);
  test.make_objects(other);
  const AttemptObjects found = docker::find_objects(test.engine, test.labels(mine), {});
  CHECK(found.size() == 3);
  const auto report = docker::remove_objects(test.engine, found, {});
  CHECK(report.removed == 3);
  CHECK(report.failures.empty());
  CHECK(test.objects() == 3);
  CHECK(docker::remove_objects(test.engine, found, {}).removed == 0);
}

TEST_CASE("an object that cannot be removed is reported and does not keep the others") {
  EngineFixture test;
  const auto spec = test.spec("a1");
  test.make_objects(spec);
  test.fake.set_fault([](const FakeEngine::Request& request) {
    return request.method == "DELETE" && request.path.starts_with("/volumes")
               ? FakeEngine::Fault::error_500
               : FakeEngine::Fault::none;
  });
  docker::EngineOptions hasty;
  hasty.patience = hasty.first_patience = std::chrono::milliseconds(1);
  docker::Engine engine(test.engine.address(), hasty);
  const auto report =
      docker::remove_objects(engine, docker::find_objects(engine, test.labels(spec), {}), {});
  CHECK(report.removed == 2);
  REQUIRE(report.failures.size() == 1);
  CHECK_THAT(report.failures.front(), ContainsSubstring("berth-42-a1-lease"));
  CHECK(test.fake.volumes().size() == 1);
}

TEST_CASE("what the engine finishes for a dead client is removed too") {
  EngineFixture test;
  const auto spec = test.spec("a1");
  std::atomic<int> lists = 0;
  test.fake.set_fault([&](const FakeEngine::Request& request) {
    // Between the first look and the second the dead client's objects appear.
    if (request.path.starts_with("/containers/json") && ++lists == 2) test.make_objects(spec);
    return FakeEngine::Fault::none;
  });
  const auto report = docker::remove_by_labels(test.engine, test.labels(spec), k_no_pause, {});
  CHECK(report.removed == 3);
  CHECK(test.objects() == 0);
  // Empty, found (perhaps in two parts), empty, empty.
  CHECK(lists >= 4);
}

TEST_CASE("removal by labels of what is not there is two looks and a success") {
  EngineFixture test;
  const auto report =
      docker::remove_by_labels(test.engine, test.labels(test.spec("a1")), k_no_pause, {});
  CHECK(report.removed == 0);
  CHECK(report.failures.empty());
}
