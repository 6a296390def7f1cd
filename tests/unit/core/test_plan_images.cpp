#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/core/fixtures.hpp"

using namespace berth;
using core::plan;
using tests::a_job;
using tests::an_identity;
using tests::vars;
using Words = std::vector<std::string>;

TEST_CASE("image: the job's, else the settings', else an error") {
  core::Policy policy;
  policy.image = "alpine:$V";
  core::Variables expanded = vars({{.key = "V", .value = "3"}});
  CHECK(plan(a_job(), expanded, policy, an_identity()).build.image == "debian:bookworm");
  core::Job job = a_job();
  job.image.reset();
  CHECK(plan(job, expanded, policy, an_identity()).build.image == "alpine:3");
  policy.image.clear();
  CHECK_THROWS_AS(plan(job, expanded, policy, an_identity()), support::JobError);
  CHECK_THROWS_WITH(plan(job, expanded, policy, an_identity()), StartsWith("no image:"));
}

TEST_CASE("image: entrypoint, user and platform") {
  core::Job job = a_job();
  job.image->entrypoint = Words{""};
  job.image->docker_user = "$U";
  job.image->docker_platform = "linux/$ARCH";
  const core::Variables expanded =
      vars({{.key = "U", .value = "1000:1000"}, {.key = "ARCH", .value = "arm64"}});
  core::Policy policy;
  core::ContainerSpec build = plan(job, expanded, policy, an_identity()).build;
  CHECK(build.entrypoint == Words{""});
  CHECK(build.user == "1000:1000");
  CHECK(build.platform == "linux/arm64");
  CHECK_FALSE(build.privileged);
  policy.user = "www-data";
  policy.privileged = true;
  build = plan(job, expanded, policy, an_identity()).build;
  CHECK(build.user == "www-data");
  CHECK(build.privileged);
}

TEST_CASE("image: allowed_images") {
  core::Policy policy;
  policy.image = "own/image:1";
  policy.allowed_images = {"registry.example.com/**", "ruby:*"};
  core::Job job = a_job();
  const auto planned = [&](const std::string& name) {
    job.image->name = name;
    return plan(job, {}, policy, an_identity()).build.image;
  };
  CHECK(planned("ruby:3") == "ruby:3");
  CHECK(planned("registry.example.com/a/b") == "registry.example.com/a/b");
  CHECK(planned("own/image:1") == "own/image:1");  // the settings' own always passes
  CHECK_THROWS_AS(planned("own/image:2"), support::JobError);
  CHECK_THROWS_WITH(planned("python:3"),
                    "image not allowed: 'python:3': allowed_images has "
                    "[registry.example.com/**, ruby:*]");
  policy.image.clear();
  CHECK_THROWS_AS(planned("python:3"), support::JobError);
  policy.allowed_images.clear();
  CHECK(planned("python:3") == "python:3");
}

TEST_CASE("image: what is no name") {
  core::Job job = a_job();
  job.image->name = "Not A Name";
  CHECK_THROWS_AS(plan(job, {}, {}, an_identity()), support::JobError);
  job.image.reset();
  core::Policy policy;
  policy.image = "Not A Name";
  CHECK_THROWS_AS(plan(job, {}, policy, an_identity()), support::OperatorError);
  policy.image = "debian";
  policy.helper_image = "a:b:c";
  CHECK_THROWS_AS(plan(job, {}, policy, an_identity()), support::OperatorError);
}

TEST_CASE("pull policy: the job's within the allowed ones, in the job's order") {
  core::Policy policy;
  core::Job job = a_job();
  const auto planned = [&] { return plan(job, {}, policy, an_identity()).build.pull_policies; };
  CHECK(planned() == Words{"always"});
  policy.pull_policies = {"if-not-present", "always", "always"};
  CHECK(planned() == policy.pull_policies);  // repeated to try again
  job.image->pull_policy = {"never", "always"};
  CHECK(planned() == Words{"always"});  // allowed by default: what is configured
  policy.allowed_pull_policies = {"never", "if-not-present"};
  CHECK(planned() == Words{"never"});
}

TEST_CASE("pull policy: no overlap names both lists and whose fault it is") {
  core::Policy policy;
  policy.allowed_pull_policies = {"always", "if-not-present"};
  core::Job job = a_job();
  job.image->pull_policy = {"never"};
  CHECK_THROWS_AS(plan(job, {}, policy, an_identity()), support::JobError);
  CHECK_THROWS_WITH(plan(job, {}, policy, an_identity()),
                    "pull policy not allowed: image 'debian:bookworm': pull_policy [never] of the "
                    "job, allowed_pull_policies [always, if-not-present]");
  policy.pull_policies = {"never"};
  job.image->pull_policy.clear();
  CHECK_THROWS_AS(plan(job, {}, policy, an_identity()), support::OperatorError);
}

TEST_CASE("helper: the official image of the runner's version and machine") {
  core::Identity identity = an_identity();
  const auto image = [&] { return plan(a_job(), {}, {}, identity).helper.image; };
  const std::string name = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:";
  CHECK(image() == name + "x86_64-v19.4.0");
  identity.machine = "aarch64";
  identity.runner_version = "17.5.3~pre.12.gabcdef";
  CHECK(image() == name + "arm64-v17.5.3");
  identity.machine = "armv7l";
  for (const char* version : {"", "development", "1.2", "1..2", "1.2."}) {
    identity.runner_version = version;
    CHECK(image() == name + "arm-latest");
  }
}

TEST_CASE("helper: the settings' image, expanded; root; the settings' pull policy") {
  core::Policy policy;
  policy.helper_image = "mirror/helper:x86_64-v${CI_RUNNER_VERSION}-$CI_RUNNER_REVISION";
  policy.pull_policies = {"if-not-present"};
  policy.allowed_images = {"debian:*"};
  const core::Variables expanded = vars({{.key = "CI_RUNNER_VERSION", .value = "19.4.0"},
                                         {.key = "CI_RUNNER_REVISION", .value = "abc"}});
  const core::ContainerSpec helper = plan(a_job(), expanded, policy, an_identity()).helper;
  CHECK(helper.image == "mirror/helper:x86_64-v19.4.0-abc");
  CHECK(helper.user == "0:0");
  CHECK(helper.pull_policies == Words{"if-not-present"});
  CHECK_FALSE(helper.entrypoint.has_value());
}
