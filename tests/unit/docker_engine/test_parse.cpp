#include "executor/docker/engine/parse.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;

// Bodies as Docker 20.10 gives them, shortened.

TEST_CASE("an image's configuration") {
  const docker::ImageInfo image =
      docker::parse_image(R"({"Id":"sha256:d2","RepoTags":["postgres:15"],
    "RepoDigests":["postgres@sha256:ab"],"Config":{"User":"postgres","ExposedPorts":{"5432/tcp":{}},
    "Env":["PATH=/bin","PGDATA=/data"],"Cmd":["postgres"],"Volumes":{"/var/lib/postgresql/data":{}},
    "WorkingDir":"/w","Entrypoint":["docker-entrypoint.sh"],"Labels":null,
    "Healthcheck":{"Test":["CMD-SHELL","pg_isready"],"Interval":5000000000}},
    "Architecture":"amd64","Os":"linux","Size":1})");
  CHECK(image.id == "sha256:d2");
  CHECK(image.repo_tags == std::vector<std::string>{"postgres:15"});
  CHECK(image.repo_digests == std::vector<std::string>{"postgres@sha256:ab"});
  CHECK(image.user == "postgres");
  CHECK(image.exposed_ports == std::vector<std::string>{"5432/tcp"});
  CHECK(image.env == std::vector<std::string>{"PATH=/bin", "PGDATA=/data"});
  CHECK(image.cmd == std::vector<std::string>{"postgres"});
  CHECK(image.entrypoint == std::vector<std::string>{"docker-entrypoint.sh"});
  CHECK(image.volumes == std::vector<std::string>{"/var/lib/postgresql/data"});
  CHECK(image.working_dir == "/w");
  REQUIRE(image.healthcheck.has_value());
  CHECK(image.healthcheck->test == std::vector<std::string>{"CMD-SHELL", "pg_isready"});
  CHECK(image.arch == "amd64");
  CHECK(image.os == "linux");
}

TEST_CASE("images with nothing in them, and a HEALTHCHECK that was switched off") {
  const docker::ImageInfo image =
      docker::parse_image(R"({"Id":"x","RepoTags":null,"Config":{"Entrypoint":null,
    "Cmd":null,"Env":null,"ExposedPorts":null,"Healthcheck":{"Test":["NONE"]}}})");
  CHECK(image.entrypoint.empty());
  CHECK_FALSE(image.healthcheck.has_value());
  CHECK(docker::parse_image(R"({"Id":"x","Config":{"Entrypoint":"one word"}})").entrypoint ==
        std::vector<std::string>{"one word"});
  CHECK(docker::parse_image(R"({"Id":"x"})").env.empty());
}

TEST_CASE("a container, its state and its addresses") {
  const docker::ContainerInfo container =
      docker::parse_container(R"({"Id":"c9","Created":"2026-11-21T05:28:03.38Z",
    "Name":"/engprobe","Image":"sha256:b1","State":{"Status":"exited","Running":false,"OOMKilled":true,"Pid":0,
    "ExitCode":137,"Error":"words","StartedAt":"a","FinishedAt":"b","Health":{"Status":"healthy","Log":[]}},
    "Config":{"Labels":{"a":"b"}},"NetworkSettings":{"Networks":{"bridge":{"Aliases":["x","y"],"NetworkID":"68",
    "Gateway":"10.89.1.1","IPAddress":"10.89.1.2","GlobalIPv6Address":"fd00::2"}}}})");
  CHECK(container.name == "engprobe");
  CHECK(container.image_id == "sha256:b1");
  CHECK(container.state.status == "exited");
  CHECK(container.state.oom_killed);
  CHECK(container.state.exit_code == 137);
  CHECK(container.state.error == "words");
  CHECK(container.state.health == "healthy");
  CHECK(container.labels.at("a") == "b");
  const docker::NetworkEndpoint& endpoint = container.networks.at("bridge");
  CHECK(endpoint.network_id == "68");
  CHECK(endpoint.ip_address == "10.89.1.2");
  CHECK(endpoint.ipv6_address == "fd00::2");
  CHECK(endpoint.gateway == "10.89.1.1");
  CHECK(endpoint.aliases == std::vector<std::string>{"x", "y"});
}

TEST_CASE("lists, networks, volumes, execs and paths") {
  const auto containers = docker::parse_container_list(
      R"([{"Id":"c9","Names":["/engprobe"],"Image":"busybox","Created":1795238883,"Labels":{"a":"b"},"State":"running"}])");
  REQUIRE(containers.size() == 1);
  CHECK(containers[0].names == std::vector<std::string>{"engprobe"});
  CHECK(containers[0].created == 1795238883);
  CHECK(containers[0].state == "running");
  CHECK(docker::parse_container_list("[]").empty());

  const docker::NetworkInfo network =
      docker::parse_network(R"({"Name":"n","Id":"68","Created":"2026","Driver":"bridge",
    "IPAM":{"Config":[{"Subnet":"10.89.1.0/24","Gateway":"10.89.1.1"}]},"Containers":{"c9":{"Name":"x"}},"Labels":{"k":"v"}})");
  CHECK(network.id == "68");
  CHECK(network.containers == std::vector<std::string>{"c9"});
  CHECK(network.subnets == std::vector<std::string>{"10.89.1.0/24"});
  CHECK(network.gateways == std::vector<std::string>{"10.89.1.1"});

  CHECK(docker::parse_volume_list(R"({"Volumes":null,"Warnings":null})").empty());
  const auto volumes = docker::parse_volume_list(
      R"({"Volumes":[{"CreatedAt":"t","Driver":"local","Labels":null,"Mountpoint":"/m","Name":"v"}]})");
  REQUIRE(volumes.size() == 1);
  CHECK(volumes[0].name == "v");
  CHECK(volumes[0].created_at == "t");

  const docker::ExecInfo unfinished =
      docker::parse_exec(R"({"ID":"e","Running":false,"ExitCode":null,"ContainerID":"c","Pid":0})");
  CHECK(unfinished.container_id == "c");
  CHECK(docker::parse_exec(R"({"Running":false,"ExitCode":126})").exit_code == 126);

  const docker::PathStat stat = docker::parse_path_stat(
      "eyJuYW1lIjoic2giLCJzaXplIjo3LCJtb2RlIjoxMzQyMTgyMzksIm10aW1lIjoiMjAyNi0xMS0yMVQwNToyMjo1OFoi"
      "LCJsaW5rVGFyZ2V0IjoiL2Jpbi9idXN5Ym94In0=");
  CHECK(stat.name == "sh");
  CHECK(stat.size == 7);
  CHECK(stat.link_target == "/bin/busybox");
  CHECK(docker::parse_id(R"({"Id":"abc","Warnings":[]})") == "abc");
  CHECK(docker::parse_wait(R"({"Error":null,"StatusCode":3})") == 3);
  CHECK(
      docker::parse_version(
          R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"})")
          .arch == "amd64");
  CHECK(
      docker::parse_info(
          R"({"ID":"X","CgroupVersion":"1","NCPU":2,"MemTotal":25000000000,"SecurityOptions":["name=seccomp"]})")
          .memory_bytes == 25000000000);
}

TEST_CASE("a number that is too large for its meaning is refused, not cut") {
  CHECK(docker::parse_wait(R"({"StatusCode":137.0})") == 137);
  for (const char* code : {"4294967296", "-3000000000", "1e300", "18446744073709551615"}) {
    CHECK_THROWS_WITH(docker::parse_wait(R"({"StatusCode":)" + std::string(code) + "}"),
                      ContainsSubstring("wait/StatusCode"));
  }
  CHECK_THROWS_AS(docker::parse_info(R"({"MemTotal":9223372036854775808})"), support::SystemError);
}

TEST_CASE("answers that make no sense say where") {
  CHECK_THROWS_AS(docker::parse_image("{"), support::SystemError);
  CHECK_THROWS_WITH(docker::parse_image(R"({"Id":"x","Config":{"Env":["a",7]}})"),
                    ContainsSubstring("image/Config/Env/1"));
  CHECK_THROWS_WITH(docker::parse_id(R"({"ID":"x"})"), ContainsSubstring("created object/Id"));
  CHECK_THROWS_WITH(docker::parse_container_list(R"({"message":"x"})"),
                    ContainsSubstring("expected a list"));
  CHECK_THROWS_AS(docker::parse_path_stat("***"), support::SystemError);
}
