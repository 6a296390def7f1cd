#include "executor/dind/recognition.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using dind::ImageConfig;
using dind::is_daemon;
using dind::ServiceFacts;

namespace {

/// As docker-library's image says of itself.
ImageConfig official() {
  return {.entrypoint = {"dockerd-entrypoint.sh"},
          .command = {},
          .environment = {"PATH=/bin", "DOCKER_TLS_CERTDIR=/certs"},
          .exposed_ports = {"2375/tcp", "2376/tcp"}};
}

ServiceFacts service(std::string image, dind::Words command = {}, dind::Words entrypoint = {}) {
  return {.image = std::move(image),
          .entrypoint = std::move(entrypoint),
          .command = std::move(command)};
}

ServiceFacts configured(ServiceFacts facts, ImageConfig config) {
  facts.config = std::move(config);
  return facts;
}

}  // namespace

TEST_CASE("dind: an image's configuration decides, whatever its name") {
  CHECK(is_daemon(configured(service("registry.test/tools/builder:1"), official())));
  ImageConfig wrapped = official();
  wrapped.entrypoint = {"tini", "--", "/usr/local/bin/dockerd-entrypoint.sh"};
  CHECK(is_daemon(configured(service("x"), wrapped)));
  ImageConfig renamed = official();
  renamed.entrypoint = {"/start.sh"};
  CHECK(is_daemon(configured(service("x"), renamed)));
  renamed.exposed_ports = {"2375/tcp"};
  CHECK_FALSE(is_daemon(configured(service("x"), renamed)));
  CHECK(is_daemon(configured(service("x"), {.command = {"/usr/bin/dockerd", "-D"}})));
  // The client's image has the variable and no port.
  CHECK_FALSE(is_daemon(
      configured(service("docker:dind"), {.entrypoint = {"docker-entrypoint.sh"},
                                          .command = {"sh"},
                                          .environment = {"DOCKER_TLS_CERTDIR=/certs"}})));
  CHECK_FALSE(is_daemon(configured(service("docker:dind"), {.entrypoint = {"postgres"}})));
}

TEST_CASE("dind: by name where nothing else is known") {
  for (const char* image :
       {"docker:dind", "docker:24.0.5-dind", "docker:stable-dind", "docker:dind-rootless",
        "docker:20-dind-alpine3.18", "registry.test:5000/mirror/docker:27-dind",
        "library/docker:dind", "team/dind", "team/docker-dind:1", "dind-with-tools:2"}) {
    INFO(image);
    CHECK(is_daemon(service(image)));
  }
  for (const char* image : {"docker:latest", "docker", "docker:24-cli", "docker:blinding", "nginx",
                            "dinda:1", "team/docker:1", "postgres:dind", "BAD NAME"}) {
    INFO(image);
    CHECK_FALSE(is_daemon(service(image)));
  }
  CHECK(dind::is_official_name("registry.test/docker:27-dind"));
  CHECK_FALSE(dind::is_official_name("team/dind"));
}

TEST_CASE("dind: a service's own words") {
  CHECK(is_daemon(service("docker:latest", {"dockerd", "-H", "tcp://0.0.0.0:2375"})));
  CHECK(is_daemon(service("debian", {}, {"sh", "-c", "exec dockerd --tls=false"})));
  CHECK(is_daemon(service("docker:dind", {"dockerd-entrypoint.sh"}, {"env", "-u", "DOCKER_HOST"})));
  CHECK(is_daemon(service("docker:dind", {"--insecure-registry=x"})));
  CHECK(is_daemon(service("docker:dind", {}, {""})));
  // Another program of that image.
  CHECK_FALSE(is_daemon(service("docker:dind", {"sleep", "9"})));
  CHECK_FALSE(is_daemon(configured(service("docker:dind", {}, {"sleep", "9"}), official())));
  CHECK_FALSE(is_daemon(service("debian", {"echo", "mydockerd"})));
}

TEST_CASE("dind: values in an environment") {
  CHECK(dind::value_in({"A=1", "AB=2", "A=3"}, "A") == "3");
  CHECK(dind::value_in({"A="}, "A") == "");
  CHECK_FALSE(dind::value_in({"AB=2", "A"}, "A").has_value());
}
