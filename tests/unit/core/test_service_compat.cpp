#include "executor/core/service_compat.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/core/fixtures.hpp"

using namespace berth;
using core::service_compat;
using tests::a_job;
using tests::an_identity;
using tests::vars;

namespace {

using Added = std::map<std::string, std::string>;
const Added k_trust{{"POSTGRES_HOST_AUTH_METHOD", "trust"}};

}  // namespace

TEST_CASE("a PostgreSQL without a password trusts its clients, whatever its image is called") {
  const core::Job job = a_job();
  for (const char* image : {"postgres", "postgres:9.6-alpine", "postgis/postgis:15-3.4",
                            "registry.example.com/group/postgresql@sha256:"
                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    INFO(image);
    CHECK(service_compat(image, {}, job, {}) == k_trust);
  }
  for (const char* image : {"redis:7", "postgres/redis", "mysql"}) {
    INFO(image);
    CHECK(service_compat(image, {}, job, {}).empty());
  }
}

TEST_CASE("what a service is given for its password") {
  core::Job job = a_job();
  const auto added = [&job](const std::vector<core::Variable>& own, const char* of_job) {
    const core::Variables expanded = vars({{.key = "POSTGRES_PASSWORD", .value = of_job}});
    return service_compat("postgres:15", own, job, expanded);
  };
  job.variables = vars({{.key = "POSTGRES_PASSWORD", .value = "x", .is_public = true}});
  CHECK(added({}, "") == k_trust);
  CHECK(added({}, "s3cret").empty());
  // The service's own word counts more than the job's.
  CHECK(added({{.key = "POSTGRES_PASSWORD", .value = ""}}, "s3cret") == k_trust);
  CHECK(added({{.key = "POSTGRES_PASSWORD", .value = "$OTHER"}}, "s3cret") == k_trust);
  CHECK(
      added({{.key = "OTHER", .value = "s3cret"}, {.key = "POSTGRES_PASSWORD", .value = "$OTHER"}},
            "")
          .empty());
  CHECK(added({{.key = "POSTGRES_HOST_AUTH_METHOD", .value = "md5"}}, "").empty());
  CHECK(added({{.key = "POSTGRES_PASSWORD_FILE", .value = "/run/password"}}, "").empty());
  // Services are not given variables that are not public.
  job.variables = vars({{.key = "POSTGRES_PASSWORD", .value = "x"}});
  CHECK(added({}, "s3cret") == k_trust);
}

TEST_CASE("plan: service_compat is off unless the settings say so, and is told of") {
  core::Job job = a_job();
  job.services = {core::Image{.name = "postgres:15", .alias = "db"}};
  core::Policy policy;
  CHECK(core::plan(job, {}, policy, an_identity()).services.at(0).added.empty());
  policy.service_compat = true;
  policy.services = {core::DefaultService{
      .name = "postgres:14", .variables = {{.key = "POSTGRES_PASSWORD", .value = "of settings"}}}};
  const core::JobSpec spec = core::plan(job, {}, policy, an_identity());
  CHECK(spec.services.at(0).added.empty());
  CHECK(spec.services.at(1).added == k_trust);
  REQUIRE_FALSE(spec.notes.empty());
  CHECK(spec.notes.back() ==
        "service 'postgres:15' (services[1]): is given POSTGRES_HOST_AUTH_METHOD=trust "
        "(service_compat)");
}
