#include "executor/kubernetes/pod/environment.hpp"
#include "executor/kubernetes/pod/overwrites.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_pod/pod_fixture.hpp"

#include <algorithm>

using namespace berth;
using namespace berth::kubernetes;
using nlohmann::json;

namespace {

constexpr const char* k_canary = "canary-5ecret-value";

std::string value_of(const std::vector<NameValue>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const NameValue& one) { return one.name == name; });
  return found == all.end() ? "(none)" : found->value;
}

/// A job with a masked variable, and public ones made of it.
tests::PodFixture with_canary() {
  tests::PodFixture fixture;
  fixture.variable({.key = "TOKEN", .value = k_canary, .masked = true});
  fixture.variable({.key = "PLAIN_PRIVATE", .value = "private"});
  fixture.variable(
      {.key = "URL", .value = std::string("https://x:") + k_canary + "@host", .is_public = true});
  return fixture;
}

}  // namespace

TEST_CASE("pod environment: public and the runner's own, as Kubernetes gives them on") {
  tests::PodFixture fixture;
  fixture.variable({.key = "GREETING", .value = "costs $5, $(NAME), $$", .is_public = true});
  fixture.variable({.key = "PRIVATE", .value = "x"});
  fixture.variable({.key = "1BAD", .value = "x", .is_public = true});
  fixture.variable({.key = "BAD NAME", .value = "x", .is_public = true});
  fixture.variable({.key = "TWICE", .value = "1", .is_public = true});
  fixture.variable({.key = "TWICE", .value = "2", .is_public = true});
  fixture.expanded.set({.key = "CI_RUNNER_INTERNAL", .value = "yes"});
  const json pod = fixture.pod();
  const json build = tests::container(pod, "build");
  CHECK(tests::env(build, "GREETING")["value"] == "costs $$5, $$(NAME), $$$$");
  CHECK(tests::env(build, "CI_RUNNER_INTERNAL")["value"] == "yes");
  CHECK(tests::env(build, "TWICE")["value"] == "2");
  CHECK(tests::env(build, "PRIVATE") == nullptr);
  CHECK(tests::env(build, "1BAD") == nullptr);
  CHECK(tests::env(build, "BAD NAME") == nullptr);
  CHECK(tests::container(pod, "helper")["env"].size() == 1);
}

TEST_CASE("pod environment: nothing masked stands in the pod") {
  tests::PodFixture fixture = with_canary();
  core::Image& db = fixture.service("postgres:15", "db");
  db.variables = {{.key = "POSTGRES_PASSWORD", .value = "$TOKEN"},
                  {.key = "DSN", .value = "pg://$TOKEN@db"},
                  {.key = "MODE", .value = "of $PLAIN_PRIVATE"},
                  {.key = "NAME", .value = "$CI_PROJECT_NAME-$MODE"}};
  fixture.yaml = "kubernetes: {pod_annotations: {project: $CI_PROJECT_NAME}}\n";
  const json pod = fixture.pod();
  CHECK(pod.dump().find(k_canary) == std::string::npos);
  CHECK(tests::env(tests::container(pod, "build"), "URL") == nullptr);
  const json service = tests::container(pod, "db");
  const json reference = {{"name", "berth-42-0123456789ab"}, {"key", "db.POSTGRES_PASSWORD"}};
  CHECK(tests::env(service, "POSTGRES_PASSWORD")["valueFrom"]["secretKeyRef"] == reference);
  CHECK(tests::env(service, "DSN").contains("valueFrom"));
  // Not masked, but not public either.
  CHECK(tests::env(service, "MODE").contains("valueFrom"));
  CHECK(tests::env(service, "NAME")["value"] == "p-of $$PLAIN_PRIVATE");
  CHECK(tests::env(service, "URL") == nullptr);
  CHECK(std::any_of(fixture.notes.begin(), fixture.notes.end(), [](const std::string& note) {
    return note.starts_with("service 'db' is not given URL: a masked value stands in it");
  }));
  CHECK(pod["spec"]["schedulingGates"][0]["name"] == "berth.executor/secret");
}

TEST_CASE("pod environment: a service's own variable takes the place of the job's") {
  tests::PodFixture fixture = with_canary();
  core::Image& db = fixture.service("postgres:15", "db");
  db.variables = {{.key = "URL", .value = "plain"}, {.key = "CI_PROJECT_NAME", .value = "$TOKEN"}};
  const core::JobSpec spec = fixture.plan();
  const ContainerEnvironment environment = service_environment(fixture.inputs(spec), 0);
  CHECK(value_of(environment.plain, "URL") == "plain");
  CHECK(environment.withheld.empty());
  CHECK(value_of(environment.plain, "CI_PROJECT_NAME") == "(none)");
  CHECK(value_of(environment.secret, "CI_PROJECT_NAME") == k_canary);
}

TEST_CASE("pod environment: raw variables are not expanded") {
  tests::PodFixture fixture = with_canary();
  fixture.service("postgres:15", "db").variables = {{.key = "RAW", .value = "$TOKEN", .raw = true}};
  const core::JobSpec spec = fixture.plan();
  CHECK(value_of(service_environment(fixture.inputs(spec), 0).plain, "RAW") == "$TOKEN");
}

TEST_CASE("pod environment: a setting may not show a masked value") {
  tests::PodFixture fixture = with_canary();
  for (const char* yaml :
       {"kubernetes: {pod_labels: {t: $TOKEN}}\n", "kubernetes: {pod_annotations: {t: $TOKEN}}\n",
        "kubernetes: {volumes: {pvc: [{name: a, mount_path: /x, sub_path: $TOKEN}]}}\n"}) {
    INFO(yaml);
    fixture.yaml = yaml;
    try {
      fixture.pod();
      FAIL("no error");
    } catch (const support::JobError& error) {
      CHECK(std::string(error.what()).find("masked variable TOKEN") != std::string::npos);
      CHECK(std::string(error.what()).find(k_canary) == std::string::npos);
    }
  }
  CHECK(revealed(std::string("a") + k_canary, fixture.expanded) == "TOKEN");
  CHECK(revealed("nothing", fixture.expanded).empty());
}
