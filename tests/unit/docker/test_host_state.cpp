#include "executor/docker/host_state.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/docker/sample_spec.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace berth;
using docker::HostState;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t k_now = 1'700'000'000;

/// A job attempt with a TMPDIR of its own.
core::JobSpec attempt_in(const tests::TempDir& tmp, const std::string& attempt) {
  core::JobSpec spec = tests::sample_spec();
  spec.attempt = attempt;
  spec.tmpdir = (tmp.path() / attempt).string();
  spec.deadline = k_now + 3600;
  fs::create_directories(spec.tmpdir);
  return spec;
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("the host identity is lasting, and parts runners with other TMPDIRs") {
  const tests::TempDir state;
  const tests::TempDir one;
  const tests::TempDir two;
  for (const tests::TempDir* tmp : {&one, &two}) {
    fs::create_directories(tmp->path() / "job");
    fs::create_directories(tmp->path() / "other");
  }
  const std::string first = HostState(state.path() / "a").identity(one.path() / "job");
  CHECK(HostState(state.path() / "a").identity(one.path() / "other") == first);
  CHECK(HostState(state.path() / "a").identity(two.path() / "job") != first);
  CHECK(HostState(state.path() / "b").identity(one.path() / "job") != first);
}

TEST_CASE("an attempt's directories are open to any user of its containers, and to nobody else") {
  const tests::TempDir tmp;
  const HostState state(tmp.path() / "state");
  const core::JobSpec spec = attempt_in(tmp, "a1");
  const mode_t before = ::umask(0077);
  const fs::path directory = state.make_attempt(spec, "h");
  ::umask(before);
  CHECK(directory == tmp.path() / "state" / "run" / "a1");
  CHECK(mode_of(tmp.path() / "state") == 0700);
  CHECK(mode_of(directory) == 0700);
  for (const char* name : {"helper", "build", "lease"}) CHECK(mode_of(directory / name) == 0777);
  CHECK(state.make_attempt(spec, "h") == directory);
}

TEST_CASE("one live attempt holds a kept volume, the next one takes the next slot") {
  const tests::TempDir tmp;
  const HostState state(tmp.path() / "state");
  const core::JobSpec first = attempt_in(tmp, "a1");
  const core::JobSpec second = attempt_in(tmp, "a2");
  CHECK(state.hold("builds", first, "h", k_now, {}) == "builds");
  CHECK(state.hold("builds", first, "h", k_now, {}) == "builds");
  CHECK(state.hold("builds", second, "h", k_now, {}) == "builds-2");

  SECTION("a forgotten attempt's slot is free again") {
    CHECK(state.forget("a1").empty());
    CHECK(state.hold("builds", attempt_in(tmp, "a3"), "h", k_now, {}) == "builds");
  }
  SECTION("so is that of an attempt whose TMPDIR is gone") {
    fs::remove_all(first.tmpdir);
    CHECK(state.hold("builds", attempt_in(tmp, "a3"), "h", k_now, {}) == "builds");
    CHECK(state.forget("a1").empty());
    CHECK(state.hold("builds", attempt_in(tmp, "a4"), "h", k_now, {}) == "builds-3");
  }
  SECTION("of another identity only the deadline frees it") {
    fs::remove_all(first.tmpdir);
    const core::JobSpec third = attempt_in(tmp, "a3");
    CHECK(state.hold("builds", third, "other", k_now, {}) == "builds-3");
    CHECK(state.hold("builds", third, "other", first.deadline + 1, {}) == "builds");
  }
}

TEST_CASE("forgetting removes directory and holds, and is a success where nothing is") {
  const tests::TempDir tmp;
  const HostState state(tmp.path() / "state");
  const core::JobSpec spec = attempt_in(tmp, "a1");
  const fs::path directory = state.make_attempt(spec, "h");
  std::ofstream(directory / "build" / "left-by-the-job") << "x";
  state.hold("builds", spec, "h", k_now, {});
  CHECK(state.forget("a1").empty());
  CHECK_FALSE(fs::exists(directory));
  CHECK(fs::is_empty(tmp.path() / "state" / "holders"));
  CHECK(state.forget("a1").empty());
  CHECK(state.forget("").empty());
}

TEST_CASE("a link in an attempt's directory is removed, not followed") {
  const tests::TempDir tmp;
  const HostState state(tmp.path() / "state");
  fs::create_directories(tmp.path() / "precious");
  std::ofstream(tmp.path() / "precious" / "file") << "x";
  const fs::path directory = state.make_attempt(attempt_in(tmp, "a1"), "h");
  fs::create_directory_symlink(tmp.path() / "precious", directory / "build" / "link");
  CHECK(state.forget("a1").empty());
  CHECK(fs::exists(tmp.path() / "precious" / "file"));
}

TEST_CASE("attempts are dead when their TMPDIR is gone, and found by it") {
  const tests::TempDir tmp;
  const HostState state(tmp.path() / "state");
  const core::JobSpec live = attempt_in(tmp, "live");
  const core::JobSpec dead = attempt_in(tmp, "dead");
  state.make_attempt(live, "h");
  state.make_attempt(dead, "h");
  state.hold("builds", dead, "h", k_now, {});
  CHECK(state.dead_attempts("h", k_now).empty());
  fs::remove_all(dead.tmpdir);
  CHECK(state.dead_attempts("h", k_now) == std::vector<std::string>{"dead"});
  CHECK(state.dead_attempts("other", k_now).empty());
  CHECK(state.attempts_of("h", live.tmpdir) == std::vector<std::string>{"live"});
  CHECK(state.attempts_of("h", "/nowhere").empty());
}

TEST_CASE("a lock is waited for until a stop is requested") {
  const tests::TempDir tmp;
  const HostState state(tmp.path() / "state");
  const support::Fd held = state.lock("network", {});
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(state.lock("network", stop.get_token()), support::Cancelled);
  CHECK(state.lock("other", {}));
}

TEST_CASE("a state folder that cannot be made is the operator's business") {
  CHECK_THROWS_AS(HostState("/proc/berth"), support::OperatorError);
}
