#include "executor/docker/examination.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/engine_fixture.hpp"

#include <fstream>

using namespace berth;
using berth::tests::EngineFixture;
using core::Finding;
using core::Health;

namespace {

const Finding& find(const std::vector<Finding>& all, const std::string& check) {
  for (const Finding& one : all) {
    if (one.check == check) return one;
  }
  throw std::runtime_error("no finding " + check);
}

}  // namespace

TEST_CASE("limits that the settings ask for must be held by the engine") {
  docker::EngineInfo info;
  info.cgroup_version = "2";
  settings::Docker settings;
  CHECK(docker::examine_limits(info, settings).at(0).text ==
        "cgroup v2: memory and CPU of jobs can be limited");
  info.warnings = {"WARNING: No memory limit support",
                   "WARNING: bridge-nf-call-iptables is disabled"};
  auto found = docker::examine_limits(info, settings);
  REQUIRE(found.size() == 1);
  CHECK(found[0].health == Health::warning);
  settings.memory_bytes = 1 << 30;
  found = docker::examine_limits(info, settings);
  CHECK(found.at(0).health == Health::failed);
  CHECK(found.at(0).text ==
        "the engine's host: No memory limit support, but the settings give jobs a limit");
  CHECK_FALSE(found.at(0).remedy.empty());
}

TEST_CASE("an engine that is away is a finding with what to do") {
  const tests::TempDir tmp;
  docker::BackendOptions options;
  options.state_dir = tmp.path() / "state";
  docker::EngineOptions hasty;
  hasty.first_patience = std::chrono::milliseconds(1);
  docker::Engine engine(
      docker::resolve_address({.host = "unix://" + (tmp.path() / "none.sock").string()},
                              [](const std::string&) { return std::string(); }),
      hasty);
  const auto all = docker::examine_engine(engine, options, {});
  CHECK(find(all, "engine").health == Health::failed);
  CHECK_FALSE(find(all, "engine").remedy.empty());
  CHECK(find(all, "state").health == Health::good);
}

TEST_CASE("a state folder that cannot be made is a finding") {
  EngineFixture test;
  std::ofstream(test.tmp.path() / "file") << "x";
  docker::BackendOptions options;
  options.state_dir = test.tmp.path() / "file" / "state";
  const auto all = docker::examine_engine(test.engine, options, {});
  CHECK(find(all, "state").health == Health::failed);
  CHECK_FALSE(find(all, "state").remedy.empty());
}
