#include "executor/docker/garbage.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/engine_fixture.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

using namespace berth;
using berth::tests::EngineFixture;

namespace {

namespace fs = std::filesystem;

/// Behind the deadline of sample_spec().
constexpr std::int64_t k_long_after = 1800000000 + 3600;
constexpr std::int64_t k_before = 1800000000 - 3600;
constexpr std::int64_t k_day = 86400;

std::vector<std::string> names(const std::vector<core::Garbage>& all) {
  std::vector<std::string> list;
  for (const core::Garbage& one : all) list.push_back(one.kind + " " + one.name);
  return list;
}

std::vector<core::Garbage> collect(EngineFixture& test, std::int64_t now, bool dry_run = false) {
  return docker::collect_attempts(test.engine, test.state, "", dry_run, now, {});
}

/// As a job of the state folder does before its containers.
void make_kept_volume(EngineFixture& test, const std::string& name, std::int64_t last_use) {
  core::JobSpec spec = tests::sample_spec();
  test.engine.create_volume({{"Name", name}, {"Labels", docker::lasting_labels(spec, "cache")}},
                            {});
  test.state.note_use(name);
  const timespec times[2] = {{last_use, 0}, {last_use, 0}};
  ::utimensat(AT_FDCWD, (test.state.folder() / "used" / name).c_str(), times, 0);
}

}  // namespace

TEST_CASE("gc takes attempts whose TMPDIR is gone, and no live one") {
  EngineFixture test;
  const auto live = test.spec("live");
  const auto dead = test.spec("dead");
  for (const auto* spec : {&live, &dead}) {
    test.make_objects(*spec);
    test.state.make_attempt(*spec, test.host());
  }
  fs::remove(dead.tmpdir);
  const std::vector<std::string> expected{
      "container berth-42-dead-build", "network berth-42-dead-net", "volume berth-42-dead-lease"};

  const auto shown = collect(test, k_before, true);
  CHECK(names(shown) == expected);
  CHECK(shown.front().reason.find(dead.tmpdir) != std::string::npos);
  CHECK(test.objects() == 6);

  const auto removed = collect(test, k_before);
  CHECK(names(removed) == expected);
  CHECK(test.fake.containers() == std::vector<std::string>{"berth-42-live-build"});
  CHECK(test.objects() == 3);
  CHECK_FALSE(fs::exists(test.state.attempt_directory("dead")));
  CHECK(fs::exists(test.state.attempt_directory("live")));
  CHECK(collect(test, k_before).empty());
}

TEST_CASE("of another host's attempts gc takes those past their deadline alone") {
  EngineFixture test;
  core::JobSpec foreign = test.spec("foreign");
  const auto labels = docker::attempt_labels(foreign, "somebody-0:1", "network");
  test.engine.create_network({{"Name", "theirs"}, {"Labels", labels}}, {});
  // Their TMPDIR is none of ours, so its absence here says nothing.
  fs::remove(foreign.tmpdir);
  CHECK(collect(test, k_before).empty());
  CHECK(collect(test, foreign.deadline + 299).empty());
  const auto removed = collect(test, k_long_after);
  CHECK(names(removed) == std::vector<std::string>{"network theirs"});
  CHECK(removed.front().reason == "the job's deadline passed at 2027-01-15 08:00 UTC");
  CHECK(test.fake.networks().empty());
}

TEST_CASE("objects that are not of an attempt are nobody's garbage") {
  EngineFixture test;
  test.engine.create_network({{"Name", "mine"}, {"Labels", {{"berth.host", "x"}}}}, {});
  test.engine.create_volume({{"Name", "data"}}, {});
  CHECK(collect(test, k_long_after).empty());
  CHECK(test.objects() == 2);
}

TEST_CASE("gc forgets records of attempts whose objects are gone") {
  EngineFixture test;
  const auto dead = test.spec("dead");
  test.state.make_attempt(dead, test.host());
  fs::remove(dead.tmpdir);
  const auto directory = test.state.attempt_directory("dead");
  CHECK(names(collect(test, k_before, true)) ==
        std::vector<std::string>{"directory " + directory.string()});
  CHECK(fs::exists(directory));
  CHECK(collect(test, k_before).size() == 1);
  CHECK_FALSE(fs::exists(directory));
}

TEST_CASE("what the engine will not remove is told with its words") {
  EngineFixture test;
  const auto dead = test.spec("dead");
  test.make_objects(dead);
  fs::remove(dead.tmpdir);
  test.fake.set_fault([](const tests::FakeEngine::Request& request) {
    return request.method == "DELETE" && request.path.starts_with("/networks")
               ? tests::FakeEngine::Fault::error_500
               : tests::FakeEngine::Fault::none;
  });
  docker::EngineOptions hasty;
  hasty.patience = hasty.first_patience = std::chrono::milliseconds(1);
  docker::Engine engine(test.engine.address(), hasty);
  const auto all = docker::collect_attempts(engine, test.state, "", false, k_before, {});
  REQUIRE(all.size() == 3);
  for (const core::Garbage& one : all) CHECK(one.failure.empty() == (one.kind != "network"));
}

TEST_CASE("kept volumes go when no job has asked for them for long") {
  EngineFixture test;
  const std::int64_t now = k_before;
  make_kept_volume(test, "old", now - 31 * k_day);
  make_kept_volume(test, "young", now - 29 * k_day);
  make_kept_volume(test, "held", now - 31 * k_day);
  test.state.hold("held", test.spec("live"), test.host(), now, {});
  // Another manager's, as far as this state folder knows.
  test.engine.create_volume(
      {{"Name", "theirs"}, {"Labels", docker::lasting_labels(tests::sample_spec(), "cache")}}, {});
  const auto run = [&](bool dry_run) {
    return docker::collect_volumes(test.engine, test.state, 30 * k_day, dry_run, now, {});
  };
  const auto shown = run(true);
  REQUIRE(names(shown) == std::vector<std::string>{"volume old"});
  CHECK(shown.front().reason == "no job has used it for 31 days");
  CHECK(test.fake.volumes().size() == 4);
  CHECK(names(run(false)) == std::vector<std::string>{"volume old"});
  CHECK(test.fake.volumes() == std::vector<std::string>{"held", "theirs", "young"});
  CHECK(run(false).empty());
}

TEST_CASE("only unused volumes are asked for, and one that came into use stays") {
  EngineFixture test;
  make_kept_volume(test, "old", 0);
  test.fake.set_fault([](const tests::FakeEngine::Request& request) {
    return request.method == "DELETE" ? tests::FakeEngine::Fault::error_500
                                      : tests::FakeEngine::Fault::none;
  });
  docker::EngineOptions hasty;
  hasty.patience = hasty.first_patience = std::chrono::milliseconds(1);
  docker::Engine engine(test.engine.address(), hasty);
  const auto all = docker::collect_volumes(engine, test.state, k_day, false, k_before, {});
  REQUIRE(all.size() == 1);
  CHECK_FALSE(all.front().failure.empty());
  const auto requests = test.fake.requests();
  const bool asked = std::any_of(requests.begin(), requests.end(), [](const auto& request) {
    return request.path.starts_with("/volumes?") &&
           request.path.find("dangling") != std::string::npos;
  });
  CHECK(asked);
}
