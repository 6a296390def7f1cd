#include "executor/docker/attempts.hpp"
#include "executor/docker/sweep.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/engine_fixture.hpp"

using namespace berth;
using berth::docker::AttemptTraces;
using berth::docker::judge;
using berth::docker::Verdict;
using berth::tests::EngineFixture;

namespace {

bool there(const std::string&) {
  return true;
}
bool gone(const std::string&) {
  return false;
}

AttemptTraces traces(std::vector<std::string> states) {
  return {.attempt = "a", .tmpdir = "/tmp/x", .states = std::move(states), .container_ids = {}};
}

}  // namespace

TEST_CASE("an attempt whose TMPDIR is gone is dead, whatever its containers do") {
  CHECK(judge(traces({"running"}), gone) == Verdict::dead);
  CHECK(judge(traces({}), gone) == Verdict::dead);
}

TEST_CASE("an attempt with a TMPDIR lives while a container of it may still run") {
  CHECK(judge(traces({"running", "exited"}), there) == Verdict::alive);
  CHECK(judge(traces({"created"}), there) == Verdict::alive);
  CHECK(judge(traces({"exited", "created"}), there) == Verdict::alive);
  CHECK(judge(traces({"restarting"}), there) == Verdict::alive);
  CHECK(judge(traces({"paused"}), there) == Verdict::alive);
}

TEST_CASE("before its first container, a network alone does not make it dead") {
  CHECK(judge(traces({}), there) == Verdict::alive);
}

TEST_CASE("all its containers ended: the agents have found no driver for long") {
  CHECK(judge(traces({"exited", "exited"}), there) == Verdict::ended);
  CHECK(judge(traces({"dead", "exited"}), there) == Verdict::ended);
}

TEST_CASE("without the label of a TMPDIR nothing says that it is gone") {
  AttemptTraces odd = traces({"running"});
  odd.tmpdir.clear();
  CHECK(judge(odd, gone) == Verdict::alive);
}

TEST_CASE("a sweep takes dead attempts of this host, and nothing else") {
  EngineFixture test;
  const auto own = test.spec("own");
  const auto live = test.spec("live");
  const auto dead = test.spec("dead");
  for (const auto* spec : {&own, &live, &dead}) {
    test.make_objects(*spec);
    test.state.make_attempt(*spec, test.host());
  }
  std::filesystem::remove(own.tmpdir);
  std::filesystem::remove(dead.tmpdir);
  const auto foreign = docker::attempt_labels(dead, "another-host", "network");
  test.engine.create_network({{"Name", "foreign"}, {"Labels", foreign}}, {});

  CHECK(docker::sweep(test.engine, test.state, test.host(), "own", "", 0, {}) == 3);
  CHECK(test.fake.containers() ==
        std::vector<std::string>{"berth-42-own-build", "berth-42-live-build"});
  CHECK(test.fake.networks().size() == 3);
  CHECK_FALSE(std::filesystem::exists(test.state.attempt_directory("dead")));
  CHECK(std::filesystem::exists(test.state.attempt_directory("own")));
  CHECK(std::filesystem::exists(test.state.attempt_directory("live")));
  CHECK(docker::sweep(test.engine, test.state, test.host(), "own", "", 0, {}) == 0);
}

TEST_CASE("a sweep that the engine disturbs leaves the rest to the next one") {
  EngineFixture test;
  const auto dead = test.spec("dead");
  test.make_objects(dead);
  test.state.make_attempt(dead, test.host());
  std::filesystem::remove(dead.tmpdir);
  test.fake.set_fault([](const tests::FakeEngine::Request& request) {
    return request.method == "DELETE" ? tests::FakeEngine::Fault::error_500
                                      : tests::FakeEngine::Fault::none;
  });
  docker::EngineOptions hasty;
  hasty.patience = hasty.first_patience = std::chrono::milliseconds(1);
  docker::Engine engine(test.engine.address(), hasty);
  CHECK(docker::sweep(engine, test.state, test.host(), "own", "", 0, {}) == 0);
  CHECK(std::filesystem::exists(test.state.attempt_directory("dead")));
  test.fake.set_fault({});
  CHECK(docker::sweep(test.engine, test.state, test.host(), "own", "", 0, {}) == 3);
}
