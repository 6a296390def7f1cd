#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/kubernetes_pod/pod_fixture.hpp"

#include <algorithm>
#include <set>

using namespace berth;
using nlohmann::json;
using Words = std::vector<std::string>;

namespace {

json mounts_of(const json& container) {
  json all = json::object();
  for (const json& one : container.at("volumeMounts")) {
    all[one.at("mountPath").get<std::string>()] = one.at("name");
  }
  return all;
}

}  // namespace

TEST_CASE("pod: the agent is the first process of build and helper alone") {
  tests::PodFixture fixture;
  fixture.service("postgres:15", "db");
  const json pod = fixture.pod();
  const json agent = {"/.berth/bin/berth-agent", "serve"};
  for (const char* name : {"build", "helper"}) {
    const json one = tests::container(pod, name);
    CHECK(one["command"] == agent);
    CHECK_FALSE(one.contains("args"));
    const json mounts = mounts_of(one);
    CHECK(mounts["/.berth/bin"] == "berth-agent");
    CHECK(mounts["/.berth/run"] == std::string("berth-run-") + name);
    CHECK(mounts["/.berth/lease"] == "berth-lease");
  }
  const json service = tests::container(pod, "db");
  CHECK(mounts_of(service) == json{{"/builds", "repo"}, {"/cache", "berth-cache"}});
  CHECK_FALSE(service.contains("command"));
  CHECK(tests::env(service, "BERTH_AGENT") == nullptr);
  CHECK_FALSE(pod["spec"].contains("initContainers"));
}

TEST_CASE("pod: what is kept in memory is the build container's alone") {
  tests::PodFixture fixture;
  fixture.service("postgres:15", "db");
  fixture.memory = {"/root/.docker", "/run/berth/credentials"};
  const json pod = fixture.pod();
  const json build = mounts_of(tests::container(pod, "build"));
  CHECK(build["/root/.docker"] == "berth-memory-0");
  CHECK(build["/run/berth/credentials"] == "berth-memory-1");
  for (const char* name : {"helper", "db"}) {
    const json mounts = mounts_of(tests::container(pod, name));
    for (const json& volume : mounts)
      CHECK_FALSE(volume.get<std::string>().starts_with("berth-memory"));
  }
  unsigned found = 0;
  for (const json& volume : pod["spec"]["volumes"]) {
    if (!volume.at("name").get<std::string>().starts_with("berth-memory")) continue;
    CHECK(volume.at("emptyDir").at("medium") == "Memory");
    CHECK(volume.at("emptyDir").contains("sizeLimit"));
    ++found;
  }
  CHECK(found == 2);
}

TEST_CASE("pod: entrypoints") {
  tests::PodFixture fixture;
  const json agent = {"/.berth/bin/berth-agent", "serve"};
  const auto build = [&](bool honor, std::optional<Words> entrypoint) {
    fixture.job.image->entrypoint = std::move(entrypoint);
    fixture.expanded.set(
        {.key = "FF_KUBERNETES_HONOR_ENTRYPOINT", .value = honor ? "true" : "false"});
    const json one = tests::container(fixture.pod(), "build");
    return json::array({one.value("command", json()), one.value("args", json())});
  };
  CHECK(build(false, std::nullopt) == json::array({agent, nullptr}));
  CHECK(build(false, Words{"/init", "$(x)"}) == json::array({agent, nullptr}));
  CHECK(build(true, std::nullopt) == json::array({nullptr, agent}));
  CHECK(build(true, Words{"/init", "$(x)"}) == json::array({{"/init", "$$(x)"}, agent}));
  CHECK(build(true, Words{""}) == json::array({agent, nullptr}));
  CHECK(build(true, Words{}) == json::array({nullptr, agent}));
}

TEST_CASE("pod: services run as the job says") {
  tests::PodFixture fixture;
  core::Image& image = fixture.service("redis:7", "cache");
  const auto service = [&](std::optional<Words> entrypoint, std::optional<Words> command) {
    image.entrypoint = std::move(entrypoint);
    image.command = std::move(command);
    const json one = tests::container(fixture.pod(), "cache");
    return json::array({one.value("command", json()), one.value("args", json())});
  };
  CHECK(service(std::nullopt, std::nullopt) == json::array({nullptr, nullptr}));
  CHECK(service(std::nullopt, Words{"--save", ""}) == json::array({nullptr, {"--save", ""}}));
  CHECK(service(Words{"sh", "-c"}, Words{"echo $(date) $$"}) ==
        json::array({{"sh", "-c"}, {"echo $$(date) $$$$"}}));
  CHECK(service(Words{""}, Words{"redis-server"}) == json::array({{"redis-server"}, nullptr}));
}

TEST_CASE("pod: services answer to all of their names") {
  tests::PodFixture fixture;
  fixture.service("reg.example.com/team/app:1", "app, api.local Bad_Name");
  fixture.service("postgres:15", "db");
  fixture.yaml = "kubernetes: {host_aliases: [{ip: 10.0.0.9, hostnames: [db]}]}\n";
  const json aliases = fixture.pod()["spec"]["hostAliases"];
  CHECK(aliases[0] ==
        json{{"ip", "127.0.0.1"},
             {"hostnames", {"reg.example.com-team-app", "app", "api.local", "postgres", "db"}}});
  CHECK(aliases[1]["ip"] == "10.0.0.9");
  CHECK(std::any_of(fixture.notes.begin(), fixture.notes.end(), [](const std::string& note) {
    return note.find("cannot be reached as 'Bad_Name'") != std::string::npos;
  }));
}

TEST_CASE("pod: it ends by itself") {
  tests::PodFixture fixture;
  const json spec = fixture.pod()["spec"];
  CHECK(spec["restartPolicy"] == "Never");
  // An hour, and a quarter of one for what follows the timeout; ten seconds are gone.
  CHECK(spec["activeDeadlineSeconds"] == 3600 + 900 - 10);
  const std::string options =
      tests::env(tests::container(fixture.pod(), "build"), "BERTH_AGENT")["value"];
  CHECK(options ==
        "run=/.berth/run;lease=/.berth/lease;deadline=1004500;orphan=900;overfill=2097152");
}

TEST_CASE("pod: what an agent writes in its end is more than the lease's volume may hold") {
  tests::PodFixture fixture;
  const json volumes = fixture.pod()["spec"]["volumes"];
  const auto lease = std::find_if(volumes.begin(), volumes.end(), [](const json& one) {
    return one["name"] == kubernetes::k_lease_volume;
  });
  REQUIRE(lease != volumes.end());
  CHECK((*lease)["emptyDir"] == json{{"sizeLimit", "1Mi"}});
  CHECK(kubernetes::k_lease_overfill > 1 << 20);
}

TEST_CASE("pod: by when a driver has seen it run, or given it up") {
  tests::PodFixture fixture;
  fixture.yaml = "kubernetes: {poll_timeout: 60}\nconnection_timeout: 100\n";
  // The fixture's now, and both.
  CHECK(fixture.pod()["metadata"]["annotations"]["berth.start-by"] ==
        std::to_string(1000010 + 160));
}

TEST_CASE("pod: volumes of the settings take the places of ours") {
  tests::PodFixture fixture;
  fixture.service("postgres:15", "db");
  fixture.yaml = R"(kubernetes:
  volumes:
    pvc:
      - {name: "checkout-$CI_PROJECT_NAME", mount_path: /builds/}
      - {name: team.cache, mount_path: /cache, sub_path: "$CI_PROJECT_NAME"}
      - {name: team.cache, mount_path: /shared, sub_path: all}
)";
  const json pod = fixture.pod();
  std::set<std::string> names;
  for (const json& volume : pod["spec"]["volumes"]) {
    INFO(volume.dump());
    CHECK(settings::is_dns_label(volume["name"].get<std::string>()));
    CHECK(names.insert(volume["name"]).second);
  }
  CHECK(names.contains("checkout-p"));
  CHECK(names.contains("team-cache"));
  CHECK_FALSE(names.contains("repo"));
  CHECK_FALSE(names.contains("berth-cache"));
  for (const char* name : {"build", "helper", "db"}) {
    const json container = tests::container(pod, name);
    for (const json& mount : container["volumeMounts"]) {
      CHECK(names.contains(mount["name"]));
    }
    const json mounts = mounts_of(tests::container(pod, name));
    CHECK(mounts["/builds"] == "checkout-p");
    CHECK(mounts["/cache"] == "team-cache");
    CHECK(mounts["/shared"] == "team-cache");
  }
  // Nobody knows what a claim's directory is open to.
  const std::string options = tests::env(tests::container(pod, "helper"), "BERTH_AGENT")["value"];
  CHECK(options.ends_with(";open=/builds:/cache"));
}

TEST_CASE("pod: volumes of the settings may have the names of ours, or clash") {
  tests::PodFixture fixture;
  fixture.yaml = R"(kubernetes:
  volumes: {pvc: [{name: repo, mount_path: /srv}, {name: cache, mount_path: /root/.cache}]}
)";
  const json mounts = mounts_of(tests::container(fixture.pod(), "build"));
  CHECK(mounts["/srv"] == "repo");
  CHECK(mounts["/builds"] == "berth-builds");
  CHECK(mounts["/root/.cache"] == "cache");
  CHECK(mounts["/cache"] == "berth-cache");
  for (const char* volumes :
       {"{pvc: [{name: berth-lease, mount_path: /srv}]}",
        "{pvc: [{name: a.b, mount_path: /x}, {name: a-b, mount_path: /y}]}"}) {
    fixture.yaml = std::string("kubernetes: {volumes: ") + volumes + "}\n";
    CHECK_THROWS_AS(fixture.pod(), support::OperatorError);
  }
}

TEST_CASE("pod: what variables make of a volume is checked") {
  tests::PodFixture fixture;
  fixture.variable({.key = "EVIL", .value = "../../etc", .is_public = true});
  for (const char* volume :
       {"{name: a, mount_path: \"/x/$EVIL\"}", "{name: a, mount_path: $NOTHING}",
        "{name: a, mount_path: /x, sub_path: $EVIL}", "{name: \"$EVIL\", mount_path: /x}"}) {
    INFO(volume);
    fixture.yaml = std::string("kubernetes: {volumes: {pvc: [") + volume + "]}}\n";
    CHECK_THROWS_AS(fixture.pod(), support::JobError);
  }
}

TEST_CASE("pod: pull policies, one after the other") {
  tests::PodFixture fixture;
  fixture.service("postgres:15", "db");
  fixture.yaml =
      "kubernetes:\n  pull_policy: [always, if-not-present]\n"
      "  allowed_pull_policies: [always, if-not-present, never]\n";
  fixture.job.image->pull_policy = {"never"};
  const auto policy = [&](const char* name) {
    return tests::container(fixture.pod(), name).value("imagePullPolicy", "");
  };
  CHECK(policy("build") == "Never");
  CHECK(policy("helper") == "Always");
  CHECK(policy("db") == "Always");
  fixture.pull_attempts = {0, 1, 1};
  CHECK(policy("build") == "Never");
  CHECK(policy("helper") == "IfNotPresent");
  CHECK(policy("db") == "IfNotPresent");
  CHECK(kubernetes::pull_policy(fixture.plan().build, 1).empty());
}

TEST_CASE("pod: the architecture of its nodes") {
  const auto selected = [](settings::Kubernetes settings, const char* machine) {
    return kubernetes::node_architecture(settings, machine);
  };
  CHECK(selected({}, "x86_64") == "amd64");
  CHECK(selected({}, "aarch64") == "arm64");
  CHECK(selected({}, "s390x") == "s390x");
  settings::Kubernetes arm;
  arm.node_selector = {{"kubernetes.io/arch", "arm64"}};
  CHECK(selected(arm, "x86_64") == "arm64");
  // The default helper image follows.
  tests::PodFixture fixture;
  fixture.yaml = "kubernetes: {node_selector: {kubernetes.io/arch: arm64}}\n";
  CHECK(fixture.plan().helper.image ==
        "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:arm64-v19.4.0");
}
