#include "executor/state/attempt.hpp"
#include "executor/state/plan.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace berth;

namespace {

class FixedClock final : public support::Clock {
 public:
  std::chrono::steady_clock::time_point now() const override { return {}; }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(5000));
  }
};

struct World {
  tests::TempDir directory;
  gitlab::RunnerEnvironment environment;
  core::Job job;
  core::Policy policy;
  FixedClock clock;

  World() {
    environment.tmpdir = directory.path() / "attempt";
    std::filesystem::create_directories(environment.tmpdir);
    environment.variables = {{"CI_RUNNER_SHORT_TOKEN", "tok"},
                             {"CI_CONCURRENT_PROJECT_ID", "1"},
                             {"CI_RUNNER_VERSION", "19.4.0"},
                             {"TAG", "3"}};
    job.id = 7;
    policy.image = "alpine:$TAG";
  }

  core::JobSpec read_or_make() const {
    return state::read_or_make_plan(job, policy, environment, directory.path() / "state", clock);
  }
};

}  // namespace

TEST_CASE("attempt: a plan is made once and found by later stages") {
  const World world;
  const core::JobSpec made = world.read_or_make();
  CHECK(made.build.image == "alpine:3");
  CHECK(made.deadline == 5000 + 7200 + 900);
  CHECK(made.tmpdir == world.environment.tmpdir.native());
  CHECK(made.hostname == "runner-tok-project-0-concurrent-1");
  CHECK(made.attempt.size() == 12);
  CHECK(made.labels.at("berth.host").size() > 16);
  CHECK(state::read_plan(world.environment.tmpdir) == made);
  CHECK(world.read_or_make() == made);
}

TEST_CASE("attempt: config plans anew, under a new name") {
  const World world;
  const core::JobSpec first = world.read_or_make();
  const core::JobSpec second = state::make_plan(world.job, world.policy, world.environment,
                                                world.directory.path() / "state", world.clock);
  CHECK(second.attempt != first.attempt);
  CHECK(second.labels.at("berth.host") == first.labels.at("berth.host"));
  CHECK(state::read_plan(world.environment.tmpdir) == second);
}

TEST_CASE("attempt: no plan is left where the job cannot be planned") {
  World world;
  world.policy.image.clear();
  CHECK_THROWS_AS(world.read_or_make(), support::JobError);
  CHECK_FALSE(state::read_plan(world.environment.tmpdir).has_value());
}

TEST_CASE("attempt: without TMPDIR there is none") {
  World world;
  world.environment.tmpdir.clear();
  CHECK_THROWS_AS(state::new_identity(world.environment, world.directory.path() / "s", world.clock),
                  support::SystemError);
}
