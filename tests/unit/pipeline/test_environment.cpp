#include "cli/local/pipeline/environment.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;
using namespace berth::local::pipeline;

TEST_CASE("environment slugs are GitLab's") {
  // Worked out by Ruby, with Digest::SHA2 and to_s(36).
  CHECK(environment_slug("production") == "production");
  CHECK(environment_slug("prod-") == "prod");
  CHECK(environment_slug("review/main") == "review-main-yi2y9f");
  CHECK(environment_slug("Staging") == "staging-p75vhx");
  CHECK(environment_slug("1") == "env-1-x3mbm3");
  CHECK(environment_slug("x--y") == "x-y-krurt5");
  CHECK(environment_slug(std::string(30, 'a')) == "aaaaaaaaaaaaaaaaa-16ttu2");
  CHECK(environment_slug("review/feature-branch-with-a-long-name") == "review-feature-br-rl6itv");
}

TEST_CASE("tiers are guessed from names") {
  CHECK(guess_tier("production") == "production");
  CHECK(guess_tier("eu-live") == "production");
  CHECK(guess_tier("Staging") == "staging");
  CHECK(guess_tier("review/x") == "development");
  CHECK(guess_tier("acceptance") == "testing");
  CHECK(guess_tier("gstg") == "staging");
  CHECK(guess_tier("elsewhere") == "other");
}

TEST_CASE("job names have slugs and groups") {
  CHECK(slug_of("My Job: (1)") == "my-job---1");
  CHECK(slug_of("--x--") == "x");
  CHECK(slug_of(std::string(80, 'x')).size() == 63);
  CHECK(group_name("build 1/3") == "build");
  CHECK(group_name("build: [a, b]") == "build");
  CHECK(group_name("build 1") == "build 1");
  CHECK(group_name("plain") == "plain");
}

TEST_CASE("an environment shows in the variables of its job's rules") {
  const auto pipeline = tests::load_text(R"(
job:
  environment: {name: "review/$CI_COMMIT_REF_NAME"}
  rules: [{if: $CI_ENVIRONMENT_NAME == "review/main" && $CI_JOB_NAME == "job"}]
  script: x
)");
  CHECK(pipeline.jobs.size() == 1);
}
