#include "executor/kubernetes/service_ports.hpp"
#include "tests/support/catch.hpp"

using berth::kubernetes::contested_ports;
using berth::kubernetes::port_taken_hint;

TEST_CASE("a port that several services want is named with them") {
  CHECK(contested_ports({}).empty());
  CHECK(contested_ports({{.image = "postgres:15", .alias = "db", .ports = {5432}},
                         {.image = "redis:7", .alias = "redis", .ports = {6379}},
                         {.image = "busybox", .alias = "one"},
                         {.image = "busybox", .alias = "two"}})
            .empty());

  const auto lines = contested_ports({{.image = "a:1", .alias = "x", .ports = {9000, 80, 80}},
                                      {.image = "a:1", .alias = "y", .ports = {80}},
                                      {.image = "b", .ports = {9000}},
                                      {.image = "c", .alias = "z", .ports = {80, 7000}}});
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], StartsWith("services 'a:1' (x), 'a:1' (y) and 'c' (z) want port 80,"));
  CHECK_THAT(lines[1], StartsWith("services 'a:1' (x) and 'b' want port 9000,"));
}

TEST_CASE("the last lines of a service say that its port was taken") {
  for (const char* log :
       {"nc: bind: Address already in use",
        "LOG:  could not bind IPv4 address \"0.0.0.0\": Address already in use\nHINT: ...",
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "Error: listen EADDRINUSE: address already in use :::3000",
        "Web server failed to start. Port 8080 was already in use: the port is already in use",
        "nc: bind: Address in use"}) {
    INFO(log);
    CHECK_THAT(port_taken_hint(log), StartsWith("\n") && ContainsSubstring("port is taken"));
  }
  CHECK(port_taken_hint("").empty());
  CHECK(port_taken_hint("could not bind: Permission denied; the name is in use").empty());
}
