#include "cli/local/job_payload.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace berth::local;

TEST_CASE("a job's payload is what GitLab would send") {
  RunFacts facts;
  facts.checkout.sha = "0123456789abcdef0123456789abcdef01234567";
  facts.checkout.before_sha = std::string(40, '0');
  facts.checkout.ref = "main";
  facts.checkout.has_branch = true;
  facts.checkout.project_path = "group/app";
  facts.server_url = "http://10.0.0.1:8080";
  facts.pipeline_id = 5;
  facts.project_id = 9;
  facts.project_variables = {
      {.variable = {.key = "TOKEN", .value = "project-token", .masked = true}},
      {.variable = {.key = "SCOPED", .value = "s"}, .environment_scope = "prod/*"}};
  facts.pipeline_variables = {{.key = "LAYER", .value = "pipeline"}};
  pipeline::Job job;
  job.name = "deploy";
  job.stage = "deploy";
  job.image = berth::core::Image{.name = "app:$LAYER",
                                 .alias = "",
                                 .entrypoint = std::vector<std::string>{""},
                                 .command = {},
                                 .pull_policy = {"always"},
                                 .variables = {},
                                 .docker_platform = "",
                                 .docker_user = "1000",
                                 .kubernetes_user = ""};
  job.variables = {{.key = "LAYER", .value = "job", .is_public = true},
                   {.key = "FROM_DOTENV", .value = "job", .is_public = true},
                   {.key = "NESTED", .value = "$INNER!", .is_public = true},
                   {.key = "INNER", .value = "$CI_COMMIT_SHORT_SHA", .is_public = true}};
  job.script = {"make"};
  job.after_script = {"bye"};
  job.environment = pipeline::Environment{};
  job.environment->name = "prod/$CI_COMMIT_REF_NAME";
  job.artifacts = pipeline::Artifacts{};
  job.artifacts->paths = {"out"};
  job.artifacts->junit = {"a.xml"};
  job.artifacts->dotenv = {"b.env"};
  job.artifacts->expire_in = "1 week";
  job.timeout = std::chrono::minutes(10);
  JobRun run;
  run.id = 5001;
  run.token = "job-token-x";
  run.dotenv = {{"FROM_DOTENV", "dotenv"}};
  run.dependencies = {
      {.id = 4, .token = "t", .name = "build", .filename = "artifacts.zip", .size = 3}};
  const runner::Payload payload = make_payload(job, facts, run);
  const runner::VariableList variables(payload.variables);
  CHECK(variables.get("LAYER") == "pipeline");
  CHECK(variables.get("FROM_DOTENV") == "dotenv");
  CHECK(variables.get("NESTED") == "01234567!");
  CHECK(variables.get("SCOPED") == "s");
  CHECK(variables.get("CI_JOB_ID") == "5001");
  CHECK(payload.git_info.repo_url ==
        "http://gitlab-ci-token:job-token-x@10.0.0.1:8080/group/app.git");
  CHECK(payload.git_info.depth == 20);
  CHECK(payload.git_info.refspecs ==
        std::vector<std::string>{"+0123456789abcdef0123456789abcdef01234567:refs/pipelines/5",
                                 "+refs/heads/main:refs/remotes/origin/main"});
  CHECK(payload.runner_info.timeout == 600);
  REQUIRE(payload.steps.size() == 2);
  CHECK(payload.steps[1].name == "after_script");
  CHECK(payload.steps[1].when == "always");
  REQUIRE(payload.artifacts.size() == 3);
  CHECK(payload.artifacts[0].format == "zip");
  CHECK(payload.artifacts[1].type == "junit");
  CHECK(payload.artifacts[1].when == "always");
  CHECK(payload.artifacts[2].format == "gzip");
  CHECK(payload.artifacts[2].expire_in == "1 week");
  CHECK(payload.image.docker_user == "1000");
  CHECK(payload.image.pull_policy == std::vector<std::string>{"always"});
  CHECK(secrets_of(payload) ==
        std::vector<std::string>{"job-token-x", "job-token-x", "project-token"});

  CHECK(payload.credentials.empty());

  SECTION("the login of GitLab's own registry comes with the job") {
    facts.project_variables.push_back({.variable = {.key = "CI_REGISTRY", .value = "r.example"}});
    facts.project_variables.push_back({.variable = {.key = "CI_REGISTRY_USER", .value = "u"}});
    CHECK(make_payload(job, facts, run).credentials.empty());
    facts.project_variables.push_back({.variable = {.key = "CI_REGISTRY_PASSWORD", .value = "p"}});
    const auto logins = make_payload(job, facts, run).credentials;
    REQUIRE(logins.size() == 1);
    CHECK(logins[0].type == "registry");
    CHECK(logins[0].url == "r.example");
    CHECK(logins[0].username == "u");
    CHECK(logins[0].password == "p");
  }
  SECTION("a depth of 0 fetches all branches and tags") {
    facts.pipeline_variables.push_back({.key = "GIT_DEPTH", .value = "0"});
    CHECK(make_payload(job, facts, run).git_info.refspecs.back() == "+refs/tags/*:refs/tags/*");
  }
  SECTION("a tag is fetched as a tag") {
    facts.checkout.is_tag = true;
    facts.checkout.ref = "v1";
    const runner::Payload of_tag = make_payload(job, facts, run);
    CHECK(of_tag.git_info.refspecs.back() == "+refs/tags/v1:refs/tags/v1");
    CHECK(of_tag.git_info.ref_type == "tag");
  }
  SECTION("a circle is the job's mistake") {
    job.variables.push_back({.key = "A", .value = "$B"});
    job.variables.push_back({.key = "B", .value = "$A"});
    CHECK_THROWS_AS(make_payload(job, facts, run), berth::support::JobError);
  }
}
