#include "executor/docker/daemons.hpp"
#include "executor/docker/engine/tar.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/docker/sample_spec.hpp"

#include <algorithm>

using namespace berth;
using docker::Daemons;
using docker::Environment;
using docker::ImageInfo;

namespace {

ImageInfo dind_image() {
  ImageInfo image;
  image.entrypoint = {"dockerd-entrypoint.sh"};
  image.env = {"DOCKER_TLS_CERTDIR=/certs"};
  image.exposed_ports = {"2375/tcp", "2376/tcp"};
  image.volumes = {"/var/lib/docker"};
  return image;
}

core::ServiceSpec dind_service(std::vector<std::string> aliases = {"docker"}) {
  core::ServiceSpec service;
  service.container.image = "docker:dind";
  service.container.privileged = true;
  service.aliases = std::move(aliases);
  service.job_index = 0;
  return service;
}

/// A job of these services, all of them of one image.
struct Sample {
  core::JobSpec spec = tests::sample_spec();
  ImageInfo image = dind_image();
  core::Variables expanded;
  dind::NetworkNeeds needs;

  Daemons plan() {
    std::vector<docker::KnownService> known;
    for (const core::ServiceSpec& service : spec.services) {
      known.push_back({.spec = &service, .image = &image, .environment = {}});
    }
    return Daemons(spec, known, expanded, needs);
  }
};

bool has(const Environment& environment, const std::string& pair) {
  return std::find(environment.begin(), environment.end(), pair) != environment.end();
}

}  // namespace

TEST_CASE("docker daemons: certificates where the daemon and its clients look") {
  Sample job;
  job.spec.services = {dind_service()};
  const Daemons daemons = job.plan();
  REQUIRE(daemons.find(0) != nullptr);
  CHECK(daemons.wants_certificates());
  CHECK(daemons.warnings().empty());
  const auto& mounts = daemons.extras(0).mounts;
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].volume == "berth-42-0123456789ab-dind-server");
  CHECK(mounts[0].target == "/certs/server");
  CHECK(mounts[1].target == "/certs/client");
  REQUIRE(daemons.build_mounts().size() == 1);
  CHECK(daemons.build_mounts()[0].volume == "berth-42-0123456789ab-dind-client");
  CHECK(daemons.build_mounts()[0].read_only);
  Environment build{"CI=true"};
  daemons.complete_build(build);
  CHECK(build == Environment{"CI=true", "DOCKER_HOST=tcp://docker:2376", "DOCKER_TLS_VERIFY=1",
                             "DOCKER_CERT_PATH=/certs/client"});
}

TEST_CASE("docker daemons: plain mode needs nothing shared") {
  Sample job;
  job.spec.services = {dind_service()};
  job.expanded.set({.key = "DOCKER_HOST", .value = "tcp://localhost:2375"});
  const Daemons daemons = job.plan();
  CHECK_FALSE(daemons.wants_certificates());
  CHECK(daemons.extras(0).mounts.empty());
  CHECK(daemons.extras(0).command == std::vector<std::string>{"--tls=false"});
  Environment service{"DOCKER_TLS_CERTDIR=/certs"};
  daemons.complete(0, service);
  CHECK(service == Environment{"DOCKER_TLS_CERTDIR="});
  Environment build;
  daemons.complete_build(build);
  CHECK(build.empty());
}

TEST_CASE("docker daemons: refused without privileges, by the key that says so") {
  Sample job;
  job.spec.services = {dind_service()};
  job.spec.services[0].container.privileged = false;
  const auto message = [&](const char* key) {
    job.spec.services[0].unprivileged_by = key;
    return tests::message_of<support::JobError>([&] { job.plan(); });
  };
  CHECK(message("allowed_privileged_services") ==
        "service 'docker:dind' is a Docker daemon and needs privileges, which "
        "docker.allowed_privileged_services of berth.yaml does not give it");
  CHECK_THAT(message("privileged"), ContainsSubstring("docker.privileged and "
                                                      "docker.services_privileged"));
  job.spec.services[0].job_index = -1;
  CHECK_THROWS_AS(job.plan(), support::OperatorError);
  // Another image of that name, and nobody looking.
  job.image = ImageInfo{};
  CHECK(job.plan().find(0) == nullptr);
  job.image = dind_image();
  job.spec.docker_in_docker = false;
  CHECK(job.plan().find(0) == nullptr);
}

TEST_CASE("docker daemons: the name clients look for, and a spare daemon") {
  Sample job;
  job.spec.services = {dind_service({"mirror-docker"})};
  CHECK(job.plan().extras(0).aliases == std::vector<std::string>{"docker"});
  core::ServiceSpec spare = dind_service({"docker", "berth-docker"});
  spare.job_index = -1;
  spare.spare_daemon = true;
  job.spec.services.push_back(spare);
  Daemons daemons = job.plan();
  CHECK(daemons.starts(0));
  CHECK_FALSE(daemons.starts(1));
  job.spec.services.erase(job.spec.services.begin());
  daemons = job.plan();
  CHECK(daemons.starts(0));
  CHECK(daemons.find(0) != nullptr);
}

TEST_CASE("docker daemons: layers on a volume, the kept one where there is one") {
  Sample job;
  job.spec.services = {dind_service()};
  job.image.volumes.clear();
  Daemons daemons = job.plan();
  REQUIRE(daemons.extras(0).mounts.size() == 3);
  CHECK(daemons.extras(0).mounts[2].target == "/var/lib/docker");
  CHECK(daemons.extras(0).mounts[2].volume.empty());
  daemons.keep_layers("layers");
  CHECK(daemons.extras(0).mounts[2].volume == "layers");
  CHECK(daemons.extras(0).mounts[2].kept);
  job.image = dind_image();
  daemons = job.plan();
  daemons.keep_layers("layers");
  REQUIRE(daemons.extras(0).mounts.size() == 3);
  CHECK(daemons.extras(0).mounts[2].target == "/var/lib/docker");
  // Where its own words put them.
  job.spec.services[0].container.command = {"--data-root=/layers"};
  job.image.volumes = {"/layers"};
  daemons = job.plan();
  daemons.keep_layers("layers");
  REQUIRE(daemons.extras(0).mounts.size() == 3);
  CHECK(daemons.extras(0).mounts[2].target == "/layers");
  // Two mounts at one place an engine refuses.
  job.spec.binds = {{.source = "/srv/layers", .destination = "/layers"}};
  daemons = job.plan();
  daemons.keep_layers("layers");
  CHECK(daemons.extras(0).mounts.size() == 2);
}

TEST_CASE("docker daemons: the engine's own socket in the job is left to it") {
  Sample job;
  job.spec.services = {dind_service()};
  job.spec.binds = {{.source = "/var/run/docker.sock", .destination = "/var/run/docker.sock"}};
  const Daemons daemons = job.plan();
  Environment build;
  daemons.complete_build(build);
  CHECK_FALSE(has(build, "DOCKER_HOST=tcp://docker:2376"));
  CHECK(daemons.extras(0).without_engine_socket);
  REQUIRE(daemons.warnings().size() == 1);
}

TEST_CASE("docker daemons: the archive of certificates has the files and their modes") {
  const auto certificates = dind::make_certificates({"docker"});
  const std::string tar = docker::certificate_archive(certificates, "/certs", false);
  CHECK(docker::first_file(tar) == certificates.authority);
  for (const char* name : {"certs/server/ca.pem", "certs/server/key.pem", "certs/client/key.pem"}) {
    CHECK(tar.find(name) != std::string::npos);
  }
  const auto mode_at = [&](const std::string& archive, std::string_view name) {
    return archive.substr(archive.find(name) + 100, 7);
  };
  CHECK(mode_at(tar, "certs/server/key.pem") == "0000600");
  CHECK(mode_at(tar, "certs/client/key.pem") == "0000644");
  const std::string open = docker::certificate_archive(certificates, "/certs", true);
  CHECK(mode_at(open, "certs/server/key.pem") == "0000644");
}

TEST_CASE("docker daemons: name servers that other machines can reach") {
  CHECK(docker::name_servers_of(
            "# x\nsearch a\nnameserver 127.0.0.53\nnameserver 10.0.0.2\n"
            "nameserver\t10.0.0.3 # second\nnameserver ::1\n"
            "nameserver fe80::1%eth0\nnameservers 1.1.1.1\nnameserver 2001:db8::1") ==
        std::vector<std::string>{"10.0.0.2", "10.0.0.3", "2001:db8::1"});
}
