#include "executor/docker/network_choice.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth;
using docker::PortUser;
using Ports = std::vector<std::uint16_t>;

namespace {

Ports ports_of(const std::string& key, const std::string& value) {
  core::Job job;
  job.variables.set({.key = key, .value = "$UNEXPANDED"});
  core::Variables expanded;
  expanded.set({.key = key, .value = value});
  expanded.set({.key = "RUNNERS_OWN", .value = "localhost:1"});
  return docker::local_ports(job, expanded);
}

}  // namespace

TEST_CASE("network: ports on localhost that a job's variables point at") {
  CHECK(ports_of("DOCKER_HOST", "tcp://localhost:2375") == Ports{2375});
  CHECK(ports_of("URLS", "http://127.0.0.1:80/x,[::1]:8080 localhost:99") == Ports{99, 80, 8080});
  CHECK(ports_of("DATABASE_URL", "postgres://u:p@localhost:5432/db") == Ports{5432});
  CHECK(ports_of("X", "mylocalhost:80 not.localhost:81 localhost: localhost:0 localhost:99999")
            .empty());
  CHECK(ports_of("CI_API_V4_URL", "http://localhost:8080").empty());
}

TEST_CASE("network: shared where a service wants one of them") {
  const std::vector<PortUser> services{{.image = "docker:dind", .ports = {2375}},
                                       {.image = "redis", .ports = {6379}}};
  CHECK(docker::wants_any(services, {80, 6379}));
  CHECK_FALSE(docker::wants_any(services, {80}));
  CHECK_FALSE(docker::wants_any(services, {}));
}

TEST_CASE("network: two services that want one port are both named") {
  CHECK_NOTHROW(docker::require_ports_apart(
      {{.image = "a", .ports = {80, 80}}, {.image = "b", .ports = {81}}, {.image = "c"}}));
  const auto text = tests::message_of<support::JobError>([] {
    docker::require_ports_apart({{.image = "postgres:15", .alias = "db", .ports = {5432}},
                                 {.image = "redis", .ports = {6379}},
                                 {.image = "postgres:16", .ports = {1, 5432}}});
  });
  CHECK(text ==
        "services 'postgres:15' (db) and 'postgres:16' both want port 5432, and share the job's "
        "network namespace");
}
