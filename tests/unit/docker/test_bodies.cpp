#include "executor/docker/bodies.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/docker/sample_spec.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace berth;
using docker::Placement;
using nlohmann::json;
using tests::sample_service;
using tests::sample_spec;

namespace {

Placement direct_placement() {
  return {.host = "h0-1-2",
          .agent_volume = "berth-agent-abc-x86_64",
          .volumes = {"berth-builds-7-0", "berth-cache-7"},
          .host_directory = "/var/lib/berth/run/0123456789ab",
          .network_id = "net0"};
}

Placement remote_placement() {
  Placement placement = direct_placement();
  placement.host_directory.reset();
  return placement;
}

settings::Docker all_options() {
  settings::Docker options;
  options.memory_bytes = 512 << 20;
  options.nano_cpus = 1'500'000'000;
  options.shm_size_bytes = 64 << 20;
  options.cap_add = {"NET_ADMIN"};
  options.cap_drop = {"MKNOD"};
  options.security_opt = {"no-new-privileges"};
  options.dns = {"192.0.2.53"};
  options.extra_hosts = {"gitlab.example.com:192.0.2.1"};
  return options;
}

void check(const std::string& name, const json& body) {
  tests::check_golden("docker/" + name + ".json", body.dump(2) + "\n");
}

const json* mount_at(const json& body, std::string_view target) {
  for (const json& mount : body.at("HostConfig").at("Mounts")) {
    if (mount.at("Target") == target) return &mount;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("create bodies of a minimal job on a local engine") {
  const core::JobSpec spec = sample_spec();
  check("helper-minimal", docker::helper_body(spec, direct_placement(), {}, "sha256:1"));
  check("build-minimal",
        docker::build_body(spec, direct_placement(), {}, "sha256:2", {"CI=true"}, "helper0"));
}

TEST_CASE("create bodies with every option, on an engine that does not see our files") {
  core::JobSpec spec = sample_spec();
  spec.services = {sample_service()};
  spec.services[0].container.command = {"postgres", "-c", "fsync=off"};
  spec.services[0].container.entrypoint = {"/entry.sh"};
  spec.services[0].container.privileged = true;
  spec.volumes[0].per_job = true;
  spec.binds = {{.source = "/srv/models", .destination = "/models", .mode = "ro"},
                {.source = "/srv/tmp", .destination = "/scratch", .mode = ""}};
  spec.build.user = "1000:1000";
  spec.build.entrypoint = {""};
  spec.build.privileged = true;
  const Placement placement = remote_placement();
  check("helper-full", docker::helper_body(spec, placement, all_options(), "sha256:1"));
  check("build-full", docker::build_body(spec, placement, all_options(), "sha256:2",
                                         {"CI=true", "HOME=/x"}, "helper0"));
  check("service-full",
        docker::service_body(spec, 0, placement, all_options(), "sha256:3", {"POSTGRES_DB=polls"}));
}

TEST_CASE("network bodies") {
  const core::JobSpec spec = sample_spec();
  check("network-job", docker::job_network_body(spec, "h0-1-2", 1400));
  check("network-shared", docker::shared_network_body(spec, 0));
}

TEST_CASE("no volume is ever filled from an image, and services see nothing of the agents") {
  core::JobSpec spec = sample_spec();
  spec.services = {sample_service()};
  for (const Placement& placement : {direct_placement(), remote_placement()}) {
    const json helper = docker::helper_body(spec, placement, {}, "i");
    const json build = docker::build_body(spec, placement, {}, "i", {}, "h");
    const json service = docker::service_body(spec, 0, placement, {}, "i", {});
    for (const json* body : {&helper, &build, &service}) {
      for (const json& mount : body->at("HostConfig").at("Mounts")) {
        if (mount.at("Type") == "volume") CHECK(mount.at("VolumeOptions").at("NoCopy") == true);
      }
    }
    CHECK(mount_at(helper, "/.berth/bin")->at("ReadOnly") == true);
    CHECK(mount_at(build, "/.berth/bin")->at("ReadOnly") == true);
    for (const char* own : {"/.berth/bin", "/.berth/run", "/.berth/lease"}) {
      CHECK(mount_at(service, own) == nullptr);
    }
    CHECK(mount_at(helper, "/.berth/run")->dump() !=
          (placement.host_directory ? mount_at(build, "/.berth/run")->dump() : std::string()));
    CHECK(mount_at(helper, "/.berth/lease")->at("Source") ==
          mount_at(build, "/.berth/lease")->at("Source"));
  }
}

TEST_CASE("what is kept in memory is the build container's alone") {
  core::JobSpec spec = sample_spec();
  spec.services = {sample_service()};
  Placement placement = direct_placement();
  placement.memory = {"/run/berth/credentials", "/root/.kube"};
  const json build = docker::build_body(spec, placement, {}, "i", {}, "h");
  const json helper = docker::helper_body(spec, placement, {}, "i");
  const json service = docker::service_body(spec, 0, placement, {}, "i", {});
  for (const std::string& directory : placement.memory) {
    REQUIRE(mount_at(build, directory) != nullptr);
    CHECK(mount_at(build, directory)->at("Type") == "tmpfs");
    CHECK(mount_at(build, directory)->at("TmpfsOptions").at("Mode") == 01777);
    CHECK(mount_at(build, directory)->at("TmpfsOptions").at("SizeBytes") > 0);
    CHECK(mount_at(helper, directory) == nullptr);
    CHECK(mount_at(service, directory) == nullptr);
  }
}

TEST_CASE("the entrypoint is kept, replaced or cleared as the job says") {
  core::JobSpec spec = sample_spec();
  const auto entrypoint = [&] {
    return docker::build_body(spec, direct_placement(), {}, "i", {}, "h")
        .value("Entrypoint", json(nullptr));
  };
  CHECK(entrypoint() == nullptr);
  spec.build.entrypoint = std::vector<std::string>{};
  CHECK(entrypoint() == nullptr);
  // The engine takes one empty word for "no entrypoint".
  spec.build.entrypoint = {""};
  CHECK(entrypoint() == json::array({""}));
  spec.build.entrypoint = {"/bin/env", "A=1"};
  CHECK(entrypoint() == json::array({"/bin/env", "A=1"}));
}

TEST_CASE("a variable that is defined twice reaches a container once, with its last value") {
  const core::Variables variables(
      {{.key = "A", .value = "1"}, {.key = "B", .value = "x=y"}, {.key = "A", .value = "2"}});
  CHECK(docker::to_environment(variables) == docker::Environment{"A=2", "B=x=y"});
}

TEST_CASE("a job's variable does not configure the agent") {
  const json body = docker::build_body(sample_spec(), direct_placement(), {}, "image",
                                       {"BERTH_AGENT=orphan=0", "A=b"}, "helper");
  const auto& env = body.at("Env");
  CHECK(std::count_if(env.begin(), env.end(), [](const json& pair) {
          return pair.get<std::string>().starts_with("BERTH_AGENT=");
        }) == 1);
  CHECK(env.back().get<std::string>().starts_with("BERTH_AGENT=run="));
}

TEST_CASE("services in the helper's network namespace: names are the helper's") {
  core::JobSpec spec = sample_spec();
  spec.services = {sample_service()};
  Placement placement = direct_placement();
  placement.local_names = {"build", "postgres", "db"};
  settings::Docker options;
  options.dns = {"192.0.2.53"};
  options.extra_hosts = {"gitlab.example.com:192.0.2.1"};
  const json helper = docker::helper_body(spec, placement, options, "i");
  CHECK(helper["HostConfig"]["ExtraHosts"] == json{"gitlab.example.com:192.0.2.1",
                                                   "build:127.0.0.1", "postgres:127.0.0.1",
                                                   "db:127.0.0.1"});
  CHECK_FALSE(helper["NetworkingConfig"]["EndpointsConfig"]["net0"].contains("Aliases"));
  placement.namespace_of = "helper0";
  const json service = docker::service_body(spec, 0, placement, options, "i", {});
  CHECK(service["HostConfig"]["NetworkMode"] == "container:helper0");
  // The engine refuses these in another's namespace.
  CHECK_FALSE(service.contains("NetworkingConfig"));
  CHECK_FALSE(service["HostConfig"].contains("Dns"));
  CHECK_FALSE(service["HostConfig"].contains("ExtraHosts"));
}

TEST_CASE("what a Docker daemon has more than a service takes the place of the settings' mounts") {
  core::JobSpec spec = sample_spec();
  spec.services = {sample_service()};
  spec.volumes.push_back({.name = "v", .destination = "/certs/client", .per_job = false});
  spec.binds = {{.source = "/var/run/docker.sock", .destination = "/var/run/docker.sock"},
                {.source = "/srv/certs", .destination = "/certs/server"},
                {.source = "/srv/models", .destination = "/models"}};
  Placement placement = direct_placement();
  placement.volumes.push_back("v");
  const docker::ServiceExtras extras{
      .mounts = {{.volume = "server", .target = "/certs/server"},
                 {.volume = "client", .target = "/certs/client", .read_only = true},
                 {.volume = "", .target = "/var/lib/docker"},
                 {.volume = "kept", .target = "/kept", .kept = true}},
      .aliases = {"docker"},
      .command = {"--tls=false"},
      .without_engine_socket = true};
  const json service = docker::service_body(spec, 0, placement, {}, "i", {}, extras);
  CHECK(mount_at(service, "/certs/client")->at("Source") == "client");
  CHECK(mount_at(service, "/certs/client")->at("ReadOnly") == true);
  CHECK_FALSE(mount_at(service, "/var/lib/docker")->contains("Source"));
  CHECK(mount_at(service, "/var/lib/docker")
            ->at("VolumeOptions")
            .at("Labels")
            .contains("berth.attempt"));
  CHECK_FALSE(
      mount_at(service, "/kept")->at("VolumeOptions").at("Labels").contains("berth.attempt"));
  CHECK(service["HostConfig"]["Binds"] == json{"/srv/models:/models"});
  CHECK(service["Labels"]["berth.layers"] == "kept");
  CHECK(service["Cmd"] == json{"--tls=false"});
  CHECK(service["NetworkingConfig"]["EndpointsConfig"]["net0"]["Aliases"] ==
        json{"postgres", "db", "docker"});
  const json build =
      docker::build_body(spec, placement, {}, "i", {}, "h",
                         {{.volume = "client", .target = "/certs/client", .read_only = true}});
  CHECK(mount_at(build, "/certs/client")->at("Source") == "client");
  CHECK(build["HostConfig"]["Binds"].size() == 3);
  CHECK(docker::mounts_engine_socket(spec));
}

TEST_CASE("a variable of an environment is set in its place") {
  docker::Environment environment{"A=1", "AB=2"};
  docker::set_in(environment, "A", "3");
  docker::set_in(environment, "B", "");
  CHECK(environment == docker::Environment{"A=3", "AB=2", "B="});
}
