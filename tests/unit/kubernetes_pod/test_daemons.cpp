#include "executor/gitlab/container_environment.hpp"
#include "executor/kubernetes/pod/job_secret.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/kubernetes_pod/pod_fixture.hpp"

using namespace berth;
using namespace berth::kubernetes;
using nlohmann::json;
using tests::container;
using tests::env;

namespace {

constexpr const char* k_privileged =
    "kubernetes: {service_container_security_context: {privileged: true}}\n";

/// The pod of a job with daemons, as the backend makes it.
struct Made {
  PlannedDaemons planned;
  json pod{};
  json secret{};
};

Made make(tests::PodFixture& fixture) {
  const core::JobSpec spec = fixture.plan();
  const core::Variables containers = gitlab::container_environment(fixture.job, fixture.expanded);
  Made made{.planned = plan_daemons(spec, fixture.job, fixture.expanded, containers)};
  PodInputs inputs = fixture.inputs(made.planned.spec);
  inputs.daemons = &made.planned.daemons;
  made.pod = make_pod(made.planned.spec, inputs, fixture.notes);
  if (needs_secret(made.planned.spec, inputs)) {
    made.secret = job_secret(made.planned.spec, inputs, {}, "uid");
  }
  return made;
}

json mount_at(const json& container, std::string_view path) {
  json found;
  for (const json& one : container.at("volumeMounts")) {
    if (one.at("mountPath") != path) continue;
    CHECK(found.is_null());
    found = one;
  }
  return found;
}

json volume(const json& pod, std::string_view name) {
  for (const json& one : pod.at("spec").at("volumes")) {
    if (one.at("name") == name) return one;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("pod daemons: certificates in a Secret that build and daemon alone mount") {
  tests::PodFixture fixture;
  fixture.yaml = k_privileged;
  fixture.service("docker:dind", "");
  const Made made = make(fixture);
  const json build = container(made.pod, "build");
  const json dind = container(made.pod, "svc-0");
  CHECK(env(build, "DOCKER_HOST")["value"] == "tcp://docker:2376");
  CHECK(env(build, "DOCKER_TLS_VERIFY")["value"] == "1");
  CHECK(env(build, "DOCKER_CERT_PATH")["value"] == "/certs/client");
  CHECK(env(dind, "DOCKER_TLS_CERTDIR")["value"] == "/certs");
  CHECK(mount_at(build, "/certs/client")["name"] == "berth-dind-client");
  CHECK(mount_at(build, "/certs/server").is_null());
  CHECK(mount_at(dind, "/certs/server")["readOnly"] == true);
  CHECK(mount_at(dind, "/var/lib/docker")["name"] == "berth-dind-data-0");
  CHECK(mount_at(container(made.pod, "helper"), "/certs/client").is_null());
  CHECK(volume(made.pod, "berth-dind-client")["secret"]["secretName"] == "berth-42-0123456789ab");
  // It waits for its Secret, which is gone with it.
  CHECK(made.pod["spec"]["schedulingGates"].size() == 1);
  CHECK(made.secret["metadata"]["ownerReferences"][0]["uid"] == "uid");
  const auto& certificates = *made.planned.daemons.certificates;
  CHECK(made.secret["data"]["dind.server.key.pem"] ==
        support::base64_encode(certificates.server.key.expose()));
  CHECK(made.pod.dump().find("PRIVATE KEY") == std::string::npos);
  const json client = volume(made.pod, "berth-dind-client");
  for (const json& item : client.at("secret").at("items")) {
    CHECK(item.at("key").get<std::string>().find("server") == std::string::npos);
    CHECK(made.secret["data"].contains(item.at("key").get<std::string>()));
  }
}

TEST_CASE("pod daemons: plain mode has no Secret") {
  tests::PodFixture fixture;
  fixture.yaml = k_privileged;
  fixture.variable({.key = "DOCKER_HOST", .value = "tcp://localhost:2375", .is_public = true});
  fixture.service("docker:stable-dind", "dock");
  const Made made = make(fixture);
  CHECK(made.secret.is_null());
  CHECK_FALSE(made.pod["spec"].contains("schedulingGates"));
  const json dind = container(made.pod, "dock");
  CHECK(env(dind, "DOCKER_TLS_CERTDIR")["value"] == "");
  CHECK(dind["args"] == json{"--tls=false"});
  CHECK(dind["command"][0] == "sh");
  CHECK(env(container(made.pod, "build"), "DOCKER_HOST")["value"] == "tcp://localhost:2375");
  CHECK(mount_at(container(made.pod, "build"), "/certs/client").is_null());
}

TEST_CASE("pod daemons: arguments see the interface's MTU where the image is known") {
  tests::PodFixture fixture;
  fixture.yaml = k_privileged;
  fixture.service("docker:dind", "").command = {"--insecure-registry=x"};
  json dind = container(make(fixture).pod, "svc-0");
  REQUIRE(dind["command"].size() == 4);
  // Kubernetes would replace $(...) itself.
  CHECK(dind["command"][2].get<std::string>().starts_with("mtu=$$(cat "));
  CHECK(dind["args"] == json{"--insecure-registry=x"});
  fixture.job.services[0].command = {"dockerd", "-H", "tcp://0.0.0.0:2375"};
  dind = container(make(fixture).pod, "svc-0");
  CHECK_FALSE(dind.contains("command"));
  fixture.job.services[0] = {.name = "team/dind:1"};
  CHECK_FALSE(container(make(fixture).pod, "docker").contains("command"));
}

TEST_CASE("pod daemons: what the settings mount") {
  tests::PodFixture fixture;
  fixture.yaml = std::string(k_privileged).substr(0, 13) +
                 "service_container_security_context: {privileged: true}, volumes: {empty_dir: "
                 "[{name: certs, mount_path: /certs/client, medium: Memory}, {name: layers, "
                 "mount_path: /var/lib/docker}]}}\n";
  fixture.service("docker:dind", "");
  const Made made = make(fixture);
  CHECK(mount_at(container(made.pod, "build"), "/certs/client")["name"] == "berth-dind-client");
  CHECK(mount_at(container(made.pod, "svc-0"), "/certs/client")["name"] == "berth-dind-client");
  CHECK(mount_at(container(made.pod, "svc-0"), "/var/lib/docker")["name"] == "layers");
}

TEST_CASE("pod daemons: refused without privileges, unless a runtime class does without") {
  tests::PodFixture fixture;
  fixture.service("docker:dind", "");
  CHECK(tests::message_of<support::JobError>([&] { make(fixture); }) ==
        "service 'docker:dind' is a Docker daemon and needs privileges, which "
        "kubernetes.privileged of berth.yaml does not give it");
  fixture.yaml = "kubernetes: {privileged: true}\n";
  CHECK_NOTHROW(make(fixture));
  fixture.yaml =
      "kubernetes: {privileged: true, service_container_security_context: "
      "{privileged: false}}\n";
  CHECK_THROWS_AS(make(fixture), support::JobError);
  fixture.yaml = "kubernetes: {runtime_class_name: sysbox-runc}\n";
  CHECK_NOTHROW(make(fixture));
  fixture.yaml = "kubernetes: {docker_in_docker: never}\n";
  const Made never = make(fixture);
  CHECK(env(container(never.pod, "build"), "DOCKER_HOST").is_null());
}

TEST_CASE("pod daemons: a daemon for every job, but never two") {
  tests::PodFixture fixture;
  fixture.yaml = "kubernetes: {privileged: true, docker_in_docker: always}\n";
  Made made = make(fixture);
  CHECK(made.planned.spec.services.size() == 1);
  CHECK(env(container(made.pod, "build"), "DOCKER_HOST")["value"] == "tcp://docker:2376");
  fixture.service("mirror.test/docker:dind", "mine");
  made = make(fixture);
  REQUIRE(made.planned.spec.services.size() == 1);
  CHECK(made.planned.spec.services[0].aliases.back() == "docker");
}
