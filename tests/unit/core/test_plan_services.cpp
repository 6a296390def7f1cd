#include "executor/core/backend.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/core/fixtures.hpp"

using namespace berth;
using core::plan;
using tests::a_job;
using tests::an_identity;
using tests::vars;
using Words = std::vector<std::string>;

namespace {

core::JobSpec planned(const std::vector<core::Image>& services, const core::Policy& policy = {},
                      const core::Variables& expanded = {}) {
  core::Job job = a_job();
  job.services = services;
  return plan(job, expanded, policy, an_identity());
}

}  // namespace

TEST_CASE("services: names of the path, then every declared alias") {
  const core::JobSpec spec =
      planned({{.name = "tutum/wordpress:latest", .alias = "blog, wp www"}, {.name = "redis"}});
  REQUIRE(spec.services.size() == 2);
  CHECK(spec.services[0].aliases ==
        Words{"tutum__wordpress", "tutum-wordpress", "blog", "wp", "www"});
  CHECK(spec.services[0].job_index == 0);
  CHECK(spec.services[0].settings_index == -1);
  CHECK(spec.services[1].aliases == Words{"redis"});
  CHECK(spec.services[1].job_index == 1);
  CHECK(spec.notes.empty());
}

TEST_CASE("services: a name that is taken is dropped with a note") {
  const core::JobSpec spec =
      planned({{.name = "postgres:15", .alias = "db"}, {.name = "postgres:14", .alias = "old db"}});
  REQUIRE(spec.services.size() == 2);
  CHECK(spec.services[0].aliases == Words{"postgres", "db"});
  CHECK(spec.services[1].aliases == Words{"old"});
  REQUIRE(spec.notes.size() == 2);
  CHECK(spec.notes[0] ==
        "service 'postgres:14' (services[1]): alias 'postgres' belongs to another "
        "service already");
  CHECK_THAT(spec.notes[1], ContainsSubstring("alias 'db'"));
}

TEST_CASE("services: one without any name left is not started, and said to be") {
  const core::JobSpec spec = planned({{.name = "postgres:15"}, {.name = "postgres:14"}});
  CHECK(spec.services.size() == 1);
  REQUIRE(spec.notes.size() == 2);
  CHECK_THAT(spec.notes[1], ContainsSubstring("is not started"));
}

TEST_CASE("services: its own name as alias is nothing to speak of") {
  const core::JobSpec spec = planned({{.name = "postgres:15", .alias = "postgres"}});
  CHECK(spec.services.at(0).aliases == Words{"postgres"});
  CHECK(spec.notes.empty());
}

TEST_CASE("services: an alias that cannot be a host name is left out") {
  const core::JobSpec spec = planned({{.name = "redis", .alias = "-x a/b good .y"}});
  CHECK(spec.services.at(0).aliases == Words{"redis", "good"});
  CHECK(spec.notes.size() == 3);
}

TEST_CASE("services: those of the settings come first, and keep their names") {
  core::Policy policy;
  policy.services = {{.name = "postgres:$V",
                      .alias = "db",
                      .entrypoint = Words{"/e"},
                      .command = Words{"c"},
                      .variables = {}}};
  const core::JobSpec spec =
      planned({{.name = "mysql:8", .alias = "db my", .command = Words{"--x"}}}, policy,
              vars({{.key = "V", .value = "16"}}));
  REQUIRE(spec.services.size() == 2);
  CHECK(spec.services[0].container.image == "postgres:16");
  CHECK(spec.services[0].container.entrypoint == Words{"/e"});
  CHECK(spec.services[0].container.command == Words{"c"});
  CHECK(spec.services[0].settings_index == 0);
  CHECK(spec.services[0].job_index == -1);
  CHECK(spec.services[1].job_index == 0);
  CHECK(spec.services[1].container.command == Words{"--x"});
  CHECK(spec.services[1].aliases == Words{"mysql", "my"});
}

TEST_CASE("services: allowed_services; the settings' own always pass") {
  core::Policy policy;
  policy.services = {
      {.name = "redis:7", .alias = "r1", .entrypoint = {}, .command = {}, .variables = {}}};
  policy.allowed_services = {"postgres:*"};
  CHECK_NOTHROW(planned({{.name = "postgres:15"}, {.name = "redis:7", .alias = "r2"}}, policy));
  CHECK_THROWS_AS(planned({{.name = "redis:6"}}, policy), support::JobError);
  CHECK_THROWS_WITH(planned({{.name = "mysql"}}, policy), ContainsSubstring("allowed_services"));
  // allowed_images is not about services.
  policy.allowed_images = {"debian:*"};
  CHECK_NOTHROW(planned({{.name = "postgres:15"}}, policy));
}

TEST_CASE("services: privileged apart from the job's containers") {
  core::Policy policy;
  CHECK_FALSE(planned({{.name = "docker:dind"}}, policy).services[0].container.privileged);
  policy.services_privileged = true;
  core::JobSpec spec = planned({{.name = "docker:dind"}}, policy);
  CHECK(spec.services[0].container.privileged);
  CHECK_FALSE(spec.build.privileged);
  policy.services_privileged = false;
  policy.privileged = true;
  spec = planned({{.name = "docker:dind"}}, policy);
  CHECK_FALSE(spec.services[0].container.privileged);
  CHECK(spec.build.privileged);
  policy.services_privileged.reset();
  CHECK(planned({{.name = "docker:dind"}}, policy).services[0].container.privileged);
}

TEST_CASE("services: own pull policy, user and platform; not the settings' user") {
  core::Policy policy;
  policy.user = "build-only";
  policy.allowed_pull_policies = {"always", "never"};
  const core::JobSpec spec =
      planned({{.name = "redis",
                .pull_policy = {"never"},
                .docker_platform = "linux/$A",
                .docker_user = "$U"}},
              policy, vars({{.key = "A", .value = "amd64"}, {.key = "U", .value = "redis"}}));
  const core::ContainerSpec& container = spec.services.at(0).container;
  CHECK(container.pull_policies == Words{"never"});
  CHECK(container.platform == "linux/amd64");
  CHECK(container.user == "redis");
  CHECK_THROWS_AS(planned({{.name = "redis", .pull_policy = {"if-not-present"}}}, policy),
                  support::JobError);
}

TEST_CASE("services: one without a name is the job's fault") {
  CHECK_THROWS_AS(planned({{.name = ""}}), support::JobError);
}

TEST_CASE("services: who is privileged, and which key says no") {
  const auto key = [](bool privileged, std::optional<bool> services_privileged,
                      const Words& allowed = {}) {
    core::Policy policy;
    policy.privileged = privileged;
    policy.services_privileged = services_privileged;
    policy.allowed_privileged_services = allowed;
    const core::JobSpec spec = planned({{.name = "docker:dind"}}, policy);
    CHECK(spec.services[0].container.privileged == spec.services[0].unprivileged_by.empty());
    return spec.services[0].unprivileged_by;
  };
  CHECK(key(false, {}) == "privileged");
  CHECK(key(true, {}).empty());
  CHECK(key(true, false) == "services_privileged");
  CHECK(key(false, true).empty());
  CHECK(key(false, true, {"docker:*"}).empty());
  CHECK(key(false, true, {"podman:*"}) == "allowed_privileged_services");
  // A list gives no privileges by itself.
  CHECK(key(false, {}, {"docker:*"}) == "privileged");
}

TEST_CASE("image: privileges for the images that may have them") {
  core::Policy policy;
  policy.privileged = true;
  policy.allowed_privileged_images = {"docker:*"};
  CHECK_FALSE(plan(a_job(), {}, policy, an_identity()).build.privileged);
  policy.allowed_privileged_images = {"docker:*", "debian:*"};
  CHECK(plan(a_job(), {}, policy, an_identity()).build.privileged);
  policy.privileged = false;
  CHECK_FALSE(plan(a_job(), {}, policy, an_identity()).build.privileged);
}

TEST_CASE("services: a spare Docker daemon where every job has one") {
  core::Policy policy;
  policy.docker_in_docker = core::DockerInDocker::always;
  policy.docker_in_docker_image = "mirror.test/docker:dind";
  core::JobSpec spec = planned({{.name = "redis"}}, policy);
  REQUIRE(spec.services.size() == 2);
  CHECK_FALSE(spec.services[0].spare_daemon);
  CHECK(spec.services[1].spare_daemon);
  CHECK(spec.services[1].container.image == "mirror.test/docker:dind");
  CHECK(spec.services[1].aliases == Words{"docker", "berth-docker"});
  CHECK(spec.services[1].job_index == -1);
  CHECK(spec.docker_in_docker);
  // The name may be another service's.
  spec = planned({{.name = "nginx", .alias = "docker"}}, policy);
  CHECK(spec.services[1].aliases == Words{"berth-docker"});
  CHECK(spec.notes.empty());
  policy.docker_in_docker = core::DockerInDocker::never;
  spec = planned({}, policy);
  CHECK(spec.services.empty());
  CHECK_FALSE(spec.docker_in_docker);
}

TEST_CASE("a service's own variables: the job's, or the settings', and what it is given besides") {
  core::Job job = a_job();
  job.services = {core::Image{.name = "a", .variables = {{.key = "A", .value = "$X"}}}};
  const std::vector<core::DefaultService> of_settings = {
      {.name = "s"}, {.name = "t", .variables = {{.key = "T", .value = "1"}}}};
  const core::Variables none;
  const core::PrepareInput input{.job = job,
                                 .expanded = none,
                                 .container_environment = none,
                                 .default_services = &of_settings};
  using Own = std::vector<core::Variable>;
  CHECK(core::own_variables(input, {.job_index = 0}) == Own{{.key = "A", .value = "$X"}});
  CHECK(core::own_variables(input, {.settings_index = 0}).empty());
  CHECK(core::own_variables(input, {.settings_index = 1, .added = {{"U", "$2"}}}) ==
        Own{{.key = "T", .value = "1"}, {.key = "U", .value = "$2", .raw = true}});
  CHECK(core::own_variables({.job = job, .expanded = none, .container_environment = none},
                            {.settings_index = 1})
            .empty());
}
