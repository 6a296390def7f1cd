#include "executor/kubernetes/pod/job_secret.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_pod/pod_fixture.hpp"

using namespace berth;
using namespace berth::kubernetes;
using credentials::RegistryLogin;
using credentials::RegistryLogins;
using nlohmann::json;

namespace {

RegistryLogin login(const std::string& registry, const std::string& password) {
  return {.registry = registry,
          .server_address = "https://" + registry,
          .username = "u",
          .password = support::Secret(password)};
}

json docker_config(const json& secret) {
  return json::parse(
      *support::base64_decode(secret["data"][".dockerconfigjson"].get<std::string>()));
}

}  // namespace

TEST_CASE("job secret: only the logins that the job's images need") {
  tests::PodFixture fixture;
  fixture.job.image->name = "reg.example.com/team/app:1";
  fixture.service("debian:12", "db");
  fixture.service("reg.example.com/team/other:1", "other");
  const RegistryLogins all({login("reg.example.com", "wide"), login("reg.example.com/team", "team"),
                            login("docker.io", "hub"), login("unused.example.com", "unused")});
  const RegistryLogins needed = logins_of_images(fixture.plan(), all);
  REQUIRE(needed.all().size() == 2);
  CHECK(needed.all()[0].registry == "reg.example.com/team");
  CHECK(needed.all()[1].registry == "docker.io");
}

TEST_CASE("job secret: owned by the pod, and as the kubelet reads it") {
  tests::PodFixture fixture;
  fixture.registry_logins = true;
  const core::JobSpec spec = fixture.plan();
  const PodInputs inputs = fixture.inputs(spec);
  CHECK(needs_secret(spec, inputs));
  RegistryLogin token = login("reg.example.com", "");
  token.identity_token = support::Secret("tok");
  const json secret =
      job_secret(spec, inputs, RegistryLogins({login("docker.io", "p:w"), token}), "uid-1");
  CHECK(secret["type"] == "kubernetes.io/dockerconfigjson");
  CHECK(secret["immutable"] == true);
  CHECK(secret["metadata"]["name"] == "berth-42-0123456789ab");
  CHECK(secret["metadata"]["ownerReferences"] == json::array({{{"apiVersion", "v1"},
                                                               {"kind", "Pod"},
                                                               {"name", "berth-42-0123456789ab"},
                                                               {"uid", "uid-1"}}}));
  CHECK(secret["metadata"]["labels"]["com.gitlab.gitlab-runner.type"] == "secret");
  const json auths = docker_config(secret)["auths"];
  CHECK(auths["https://index.docker.io/v1/"] ==
        json{{"username", "u"}, {"password", "p:w"}, {"auth", support::base64_encode("u:p:w")}});
  CHECK(auths["reg.example.com"] == json{{"identitytoken", "tok"}});
}

TEST_CASE("job secret: values of services, without any login") {
  tests::PodFixture fixture;
  fixture.variable({.key = "TOKEN", .value = "5ecret-value", .masked = true});
  fixture.service("postgres:15", "db").variables = {{.key = "PGPASSWORD", .value = "$TOKEN"}};
  const core::JobSpec spec = fixture.plan();
  const json secret = job_secret(spec, fixture.inputs(spec), {}, "uid-1");
  CHECK(secret["type"] == "Opaque");
  CHECK(secret["data"] == json{{"db.PGPASSWORD", support::base64_encode("5ecret-value")}});
}

TEST_CASE("job secret: not needed, not waited for") {
  tests::PodFixture fixture;
  fixture.service("postgres:15", "db").variables = {{.key = "NAME", .value = "$CI_PROJECT_NAME"}};
  core::JobSpec spec = fixture.plan();
  CHECK_FALSE(needs_secret(spec, fixture.inputs(spec)));
  CHECK_FALSE(fixture.pod()["spec"].contains("schedulingGates"));
  // The service account brings what is needed.
  fixture.registry_logins = true;
  fixture.yaml = "kubernetes: {use_service_account_image_pull_secrets: true}\n";
  spec = fixture.plan();
  CHECK_FALSE(needs_secret(spec, fixture.inputs(spec)));
}

TEST_CASE("job secret: the gate is removed where the server has it") {
  tests::PodFixture fixture;
  fixture.registry_logins = true;
  json pod = fixture.pod();
  // Another controller may have put its own in front.
  json& gates = pod["spec"]["schedulingGates"];
  gates.insert(gates.begin(), json{{"name", "example.com/quota"}});
  const json patch = remove_gate_patch(pod);
  const json open = pod.patch(patch);
  CHECK(open["spec"]["schedulingGates"] == json::array({{{"name", "example.com/quota"}}}));
  CHECK_THROWS(open.patch(patch));
  CHECK(remove_gate_patch(open).empty());
}
