#include "executor/sandbox/readiness.hpp"
#include "tests/support/catch.hpp"

#include <numeric>

using Ports = std::vector<std::uint16_t>;
using berth::sandbox::readiness_ports;

TEST_CASE("HEALTHCHECK_TCP_PORT decides, its last definition counts") {
  CHECK(readiness_ports("postgres:15", {"HEALTHCHECK_TCP_PORT=1", "HEALTHCHECK_TCP_PORT=9999"},
                        {5432}) == Ports{9999});
}

TEST_CASE("a HEALTHCHECK_TCP_PORT that is no port is not taken") {
  for (const char* bad : {"HEALTHCHECK_TCP_PORT=", "HEALTHCHECK_TCP_PORT=0",
                          "HEALTHCHECK_TCP_PORT=65536", "HEALTHCHECK_TCP_PORT=80x"}) {
    INFO(bad);
    CHECK(readiness_ports("x", {bad}, {8080}) == Ports{8080});
  }
}

TEST_CASE("a well-known image is ready when its clients' port is") {
  CHECK(readiness_ports("rabbitmq:3-management", {}, {15672, 4369, 5672}) == Ports{5672});
  CHECK(readiness_ports("registry.example.com:5000/team/postgres:9.6", {}, {}) == Ports{5432});
}

TEST_CASE("an image with a well-known name but other ports is asked for its own") {
  CHECK(readiness_ports("team/postgres", {}, {6432}) == Ports{6432});
}

TEST_CASE("otherwise any of the exposed ports, the lowest twenty") {
  CHECK(readiness_ports("team/app", {}, {8443, 8080}) == Ports{8080, 8443});
  CHECK(readiness_ports("team/app", {}, {}).empty());
  Ports many(30);
  std::iota(many.rbegin(), many.rend(), std::uint16_t{1000});
  const Ports chosen = readiness_ports("team/app", {}, many);
  REQUIRE(chosen.size() == 20);
  CHECK(chosen.front() == 1000);
  CHECK(chosen.back() == 1019);
}
