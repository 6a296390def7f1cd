#include "executor/support/error.hpp"
#include "executor/support/version.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/core/fixtures.hpp"

using namespace berth;
using core::plan;
using tests::a_job;
using tests::an_identity;
using tests::vars;
using namespace std::chrono_literals;

TEST_CASE("plan: identity, times and directories") {
  core::Job job = a_job();
  job.timeout = 3600s;
  core::Policy policy;
  policy.orphan_timeout = 60s;
  policy.connection_timeout = 61s;
  policy.pull_retry_timeout = 62s;
  policy.wait_for_services_timeout = -1s;
  const core::JobSpec spec = plan(job, {}, policy, an_identity());
  CHECK(spec.backend == "docker");
  CHECK(spec.job_id == 7);
  CHECK(spec.project_id == 42);
  CHECK(spec.attempt == "0a1b2c3d4e5f");
  CHECK(spec.resource_name == "berth-7-0a1b2c3d4e5f");
  CHECK(spec.tmpdir == "/tmp/custom-executor1");
  CHECK(spec.hostname == "runner-abcdef12-project-42-concurrent-3");
  CHECK(spec.builds_dir == "/builds");
  CHECK(spec.cache_dir == "/cache");
  CHECK(spec.deadline == 1'000'000 + 3600 + 900);
  CHECK(spec.orphan_timeout == 60s);
  CHECK(spec.connection_timeout == 61s);
  CHECK(spec.pull_retry_timeout == 62s);
  CHECK(spec.wait_for_services_timeout == -1s);
}

TEST_CASE("plan: labels under the built-in executor's names and our own") {
  core::Job job = a_job();
  job.variables = vars({{.key = "CI_JOB_URL", .value = "https://git/j/7"},
                        {.key = "CI_JOB_URL", .value = "https://evil"}});
  const auto labels = plan(job, {}, {}, an_identity()).labels;
  CHECK(labels == std::map<std::string, std::string>{
                      {"berth.attempt", "0a1b2c3d4e5f"},
                      {"berth.deadline", std::to_string(1'000'000 + 7200 + 900)},
                      {"berth.host", "feed-1:2"},
                      {"berth.tmpdir", "/tmp/custom-executor1"},
                      {"berth.version", std::string(support::version())},
                      {"com.gitlab.gitlab-runner.job.id", "7"},
                      {"com.gitlab.gitlab-runner.job.ref", "main"},
                      {"com.gitlab.gitlab-runner.job.sha", "0123456789abcdef"},
                      {"com.gitlab.gitlab-runner.job.timeout", "7200s"},
                      {"com.gitlab.gitlab-runner.job.url", "https://git/j/7"},
                      {"com.gitlab.gitlab-runner.managed", "true"},
                      {"com.gitlab.gitlab-runner.pipeline.id", "5"},
                      {"com.gitlab.gitlab-runner.project.id", "42"},
                      {"com.gitlab.gitlab-runner.project.runner_id", "3"},
                      {"com.gitlab.gitlab-runner.runner.id", "aBcDeF12"},
                  });
}

TEST_CASE("plan: umask 0000 only where the job itself turns its absence off") {
  const auto flag = [](const char* backend, const char* value) {
    return vars(
        {{.key = std::string("FF_DISABLE_UMASK_FOR_") + backend + "_EXECUTOR", .value = value}});
  };
  core::Job job = a_job();
  const auto umask = [&job](const core::Variables& expanded, const char* backend = "docker") {
    core::Policy policy;
    policy.backend = backend;
    return plan(job, expanded, policy, an_identity()).helper_umask_0000;
  };
  CHECK_FALSE(umask({}));
  // The runner's default, and an operator's word.
  CHECK_FALSE(umask(flag("DOCKER", "false")));
  CHECK_FALSE(umask(flag("DOCKER", "true")));
  job.variables = flag("DOCKER", "false");
  CHECK(umask(flag("DOCKER", "false")));
  CHECK_FALSE(umask(flag("DOCKER", "true")));
  CHECK_FALSE(umask(flag("DOCKER", "false"), "kubernetes"));
  job.variables = flag("KUBERNETES", "0");
  CHECK(umask(flag("KUBERNETES", "false"), "kubernetes"));
  CHECK_FALSE(umask(flag("KUBERNETES", "false")));
}

TEST_CASE("plan: a variable named like a setting or a fact changes nothing") {
  core::Variables hostile;
  for (const char* key : {"privileged",
                          "PRIVILEGED",
                          "DOCKER_PRIVILEGED",
                          "image",
                          "helper_image",
                          "HELPER_IMAGE",
                          "pull_policy",
                          "allowed_images",
                          "user",
                          "volumes",
                          "CI_JOB_ID",
                          "CI_PROJECT_ID",
                          "CI_COMMIT_REF_PROTECTED",
                          "CI_JOB_TIMEOUT",
                          "CI_JOB_IMAGE",
                          "CI_PROJECT_DIR",
                          "CI_BUILDS_DIR",
                          "CI_RUNNER_ID",
                          "CI_JOB_URL",
                          "CI_PIPELINE_ID",
                          "CI_COMMIT_SHA",
                          "CI_SERVER_HOST",
                          "BERTH_SETTINGS",
                          "TMPDIR",
                          "berth.attempt"}) {
    hostile.set({.key = key, .value = "true"});
  }
  core::Job job = a_job();
  job.services = {{.name = "postgres:15"}};
  const core::JobSpec plain = plan(job, {}, {}, an_identity());
  CHECK(plan(job, hostile, {}, an_identity()) == plain);
  // The same names among the variables GitLab sent: only CI_JOB_URL (a label)
  // and CI_SERVER_HOST (a name) are read there, in GitLab's own definition.
  core::Variables sent;
  sent.set({.key = "CI_JOB_URL", .value = ""});
  sent.set({.key = "CI_SERVER_HOST", .value = "gitlab"});
  for (const core::Variable& variable : hostile.all()) sent.set(variable);
  job.variables = sent;
  CHECK(plan(job, hostile, {}, an_identity()) == plain);
}

TEST_CASE("plan: a minimal payload") {
  core::Job job;  // id 0, project 0, no variables
  job.image = core::Image{.name = "busybox"};
  const core::JobSpec spec = plan(job, {}, {}, {.attempt = "a1", .tmpdir = "/t"});
  CHECK(spec.resource_name == "berth-0-a1");
  CHECK(spec.hostname == "runner--project-0-concurrent");
  CHECK(spec.volumes.size() == 2);
}

TEST_CASE("identify: what cleanup needs without a plan") {
  const core::JobSpec whole = plan(a_job(), {}, {}, an_identity());
  const core::JobSpec bare = core::identify(a_job(), {}, an_identity());
  CHECK(bare.labels == whole.labels);
  CHECK(bare.resource_name == whole.resource_name);
  CHECK(bare.build.image.empty());
}

TEST_CASE("plan: what is different on Kubernetes") {
  core::Job job = a_job();
  job.image->docker_user = "postgres";
  job.image->kubernetes_user = "$UID:100";
  job.services = {{.name = "postgres:15", .kubernetes_user = "70"}};
  core::Policy policy;
  policy.backend = "kubernetes";
  policy.pull_policies.clear();
  core::JobSpec spec = plan(job, vars({{.key = "UID", .value = "1000"}}), policy, an_identity());
  CHECK(spec.build.user == "1000:100");
  CHECK(spec.services.at(0).container.user == "70");
  // The cluster decides how to pull, and the pod's directories go with it.
  CHECK(spec.build.pull_policies.empty());
  CHECK(spec.volumes.empty());
  CHECK(spec.binds.empty());
  // A policy that the settings do not name may not be asked for.
  job.image->pull_policy = {"never"};
  CHECK_THROWS_AS(plan(job, {}, policy, an_identity()), support::JobError);
  policy.allowed_pull_policies = {"never"};
  CHECK(plan(job, {}, policy, an_identity()).build.pull_policies ==
        std::vector<std::string>{"never"});
  policy.machine = "arm64";
  CHECK(plan(job, {}, policy, an_identity()).helper.image.find(":arm64-") != std::string::npos);
}
