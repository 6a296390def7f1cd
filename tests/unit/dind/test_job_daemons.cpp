#include "executor/dind/job_daemons.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace berth;
using namespace berth::dind;

namespace {

struct Services {
  void add(const std::string& image, std::vector<std::string> aliases, bool spare = false) {
    core::ServiceSpec service;
    service.container.image = image;
    service.aliases = std::move(aliases);
    service.spare_daemon = spare;
    specs.push_back(std::move(service));
    facts.push_back({.image = image});
  }

  JobDaemons find(const std::string& docker_host = {}) const {
    core::Variables job;
    if (!docker_host.empty()) job.set({.key = "DOCKER_HOST", .value = docker_host});
    return find_daemons(specs, facts, job, {});
  }

  std::vector<core::ServiceSpec> specs;
  std::vector<ServiceFacts> facts;
};

std::string docker_host(const JobDaemons& found) {
  for (const auto& [key, value] : found.client) {
    if (key == "DOCKER_HOST") return value;
  }
  return {};
}

}  // namespace

TEST_CASE("job daemons: none, and nothing is said to a client") {
  Services services;
  services.add("postgres:16", {"postgres"});
  const JobDaemons found = services.find();
  CHECK_FALSE(found.any());
  CHECK(found.find(0) == nullptr);
  CHECK(found.find(7) == nullptr);
  CHECK(found.client.empty());
  CHECK_FALSE(found.left_out.has_value());
}

TEST_CASE("job daemons: clients find the first one, by the name docker") {
  Services services;
  services.add("postgres:16", {"postgres"});
  services.add("docker:27-dind", {"builder"});
  services.add("docker:24-dind", {"second"});
  const JobDaemons found = services.find();
  REQUIRE(found.find(1) != nullptr);
  CHECK(found.find(1)->further_alias == "docker");
  CHECK(found.find(1)->data_root == "/var/lib/docker");
  REQUIRE(found.find(2) != nullptr);
  CHECK(found.find(2)->further_alias.empty());
  CHECK(docker_host(found) == "tcp://docker:2376");
  CHECK(found.warning.empty());
}

TEST_CASE("job daemons: a name that another service has is left to it") {
  Services services;
  services.add("docker:27-dind", {"builder"});
  services.add("nginx", {"docker"});
  const JobDaemons found = services.find();
  CHECK(found.find(0)->further_alias.empty());
  CHECK(docker_host(found) == "tcp://builder:2376");
}

TEST_CASE("job daemons: the settings' own gives way to the job's, and only then") {
  Services services;
  services.add("docker:27-dind", {"docker"}, true);
  CHECK_FALSE(services.find().left_out.has_value());
  CHECK(services.find().find(0) != nullptr);
  services.add("docker:24-dind", {"builder"});
  const JobDaemons found = services.find();
  CHECK(found.left_out == 0);
  CHECK(found.find(0) == nullptr);
  REQUIRE(found.find(1) != nullptr);
  CHECK(found.find(1)->further_alias == "docker");
}

TEST_CASE("job daemons: a port that the first one does not listen on is told") {
  Services services;
  services.add("docker:27-dind", {"docker"});
  services.add("docker:24-dind", {"second"});
  CHECK(services.find("tcp://docker:2376").warning.empty());
  services.facts[0].command = {"--tls=false"};
  CHECK_THAT(services.find("tcp://docker:2376").warning,
             ContainsSubstring("service 'docker:27-dind' listens on port 2375"));
  // Another's port is not asked for.
  CHECK(services.find("tcp://docker:2375").warning.empty());
}
