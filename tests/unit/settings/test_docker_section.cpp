#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/settings/section.hpp"

using namespace berth;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

settings::Settings parse_docker(const std::string& lines) {
  return tests::parse_section("docker:\n", lines);
}

std::string message(const std::string& lines) {
  return tests::message_of<support::OperatorError>([&] { parse_docker(lines); });
}

}  // namespace

TEST_CASE("docker settings: every key") {
  const settings::Settings all = parse_docker(R"(host: tcp://engine:2376
tls_cert_path: /etc/docker/certs
tls_verify: true
image: debian:bookworm
helper_image: mirror/helper:1
pull_policy: [if-not-present, always]
allowed_pull_policies: [always, if-not-present, never]
allowed_images: ["registry/**", "ruby:*"]
allowed_services: ["postgres:*"]
privileged: true
services_privileged: false
volumes: [/cache, "/srv:/srv:ro"]
cache_dir: /var/cache/ci
disable_cache: true
memory: 512m
cpus: 1.5
shm_size: 67108864
user: 1000:1000
cap_add: [NET_ADMIN]
cap_drop: [ALL, MKNOD]
security_opt: [no-new-privileges]
dns: [10.0.0.1, "fd00::1"]
extra_hosts: ["db:10.0.0.2", "host.docker.internal:host-gateway", "six:fd00::2"]
network_mtu: 1450
network_isolation: true
wait_for_services_timeout: 1m
services:
  - name: redis:7
    alias: cache
    entrypoint: [/bin/sh]
    command: [-c, serve]
    environment: ["A=b", "C=d=e", "E="]
  - {name: "postgres:15"})");
  const core::Policy& policy = all.policy;
  const settings::Docker& docker = all.docker;
  CHECK(docker.host == "tcp://engine:2376");
  CHECK(docker.tls_cert_path == "/etc/docker/certs");
  CHECK(docker.tls_verify);
  CHECK(policy.image == "debian:bookworm");
  CHECK(policy.helper_image == "mirror/helper:1");
  CHECK(policy.pull_policies == Words{"if-not-present", "always"});
  CHECK(policy.allowed_pull_policies == Words{"always", "if-not-present", "never"});
  CHECK(policy.allowed_images == Words{"registry/**", "ruby:*"});
  CHECK(policy.allowed_services == Words{"postgres:*"});
  CHECK(policy.privileged);
  CHECK(policy.services_privileged == false);
  CHECK(policy.volumes == Words{"/cache", "/srv:/srv:ro"});
  CHECK(policy.cache_dir == "/var/cache/ci");
  CHECK(policy.disable_cache);
  CHECK(docker.memory_bytes == 512L << 20);
  CHECK(docker.nano_cpus == 1'500'000'000);
  CHECK(docker.shm_size_bytes == 67108864);
  CHECK(policy.user == "1000:1000");
  CHECK(docker.cap_add == Words{"NET_ADMIN"});
  CHECK(docker.cap_drop == Words{"ALL", "MKNOD"});
  CHECK(docker.security_opt == Words{"no-new-privileges"});
  CHECK(docker.dns == Words{"10.0.0.1", "fd00::1"});
  CHECK(docker.extra_hosts.size() == 3);
  CHECK(docker.network_mtu == 1450);
  CHECK(docker.network_isolation);
  CHECK(policy.wait_for_services_timeout == 60s);
  REQUIRE(policy.services.size() == 2);
  CHECK(policy.services[0] == core::DefaultService{.name = "redis:7",
                                                   .alias = "cache",
                                                   .entrypoint = Words{"/bin/sh"},
                                                   .command = Words{"-c", "serve"},
                                                   .variables = {{.key = "A", .value = "b"},
                                                                 {.key = "C", .value = "d=e"},
                                                                 {.key = "E", .value = ""}}});
  CHECK(policy.services[1].name == "postgres:15");
}

TEST_CASE("docker settings: other ways to write the same") {
  CHECK(parse_docker("pull_policy: never").policy.pull_policies == Words{"never"});
  CHECK(parse_docker("user: 1000").policy.user == "1000");
  CHECK(parse_docker("host: unix:///run/docker.sock").docker.host == "unix:///run/docker.sock");
  CHECK(parse_docker("shm_size: 64m").docker.shm_size_bytes == 64L << 20);
  CHECK(parse_docker("cpus: \"0.5\"").docker.nano_cpus == 500'000'000);
  CHECK(parse_docker("wait_for_services_timeout: 0").policy.wait_for_services_timeout == 30s);
  CHECK(parse_docker("wait_for_services_timeout: -1").policy.wait_for_services_timeout == -1s);
  CHECK(parse_docker("volumes: []").policy.volumes.empty());
}

TEST_CASE("docker settings: bad values name key, place and what is wanted") {
  CHECK(message("host: npipe:////./pipe") ==
        "f:2:9: 'host' must be unix:///path or tcp://host:port, not 'npipe:////./pipe'");
  CHECK(message("host: unix://relative") != "no error");
  CHECK(message("tls_cert_path: certs") ==
        "f:2:18: 'tls_cert_path' must be an absolute path, not 'certs'");
  CHECK(message("tls_verify: 1") == "f:2:15: 'tls_verify' must be true or false, not '1'");
  CHECK(message("privileged: \"true\"") ==
        "f:2:15: 'privileged' must be true or false, not a string");
  CHECK(message("image: [a]") == "f:2:10: 'image' must be a string, not a list");
  CHECK(message("image: ''") == "f:2:10: 'image' must not be empty");
  CHECK(message("image:") != "no error");
  CHECK(message("pull_policy: sometimes") ==
        "f:2:16: 'pull_policy' must be always, if-not-present or never, not 'sometimes'");
  CHECK(message("pull_policy: [never, Always]") ==
        "f:2:24: 'pull_policy' must be always, if-not-present or never, not 'Always'");
  CHECK(message("pull_policy: []") == "f:2:16: 'pull_policy' is empty");
  CHECK(message("allowed_images: ruby") ==
        "f:2:19: 'allowed_images' must be a list, not a plain value");
  CHECK(message("allowed_images: ['{a']") ==
        "f:2:20: 'allowed_images' must be a pattern such as registry/**, not '{a'");
  CHECK(message("volumes: [cache]") ==
        "f:2:13: 'volumes' must be /path or source:/path[:mode], not 'cache'");
  CHECK(message("volumes: [/a, 'x:/a/']") == "f:2:17: 'volumes' mounts '/a' twice");
  CHECK(message("memory: lots") ==
        "f:2:11: 'memory' must be bytes, or a size such as 512m or 2g, not 'lots'");
  CHECK(message("cpus: 0") == "f:2:9: 'cpus' must be a number of CPUs such as 1.5, not '0'");
  CHECK(message("dns: [nine]") == "f:2:9: 'dns' must be IP addresses, not 'nine'");
  CHECK(message("extra_hosts: [db]") ==
        "f:2:17: 'extra_hosts' must be name:address entries, not 'db'");
  CHECK(message("extra_hosts: ['db:x']") != "no error");
  CHECK(message("network_mtu: 9") ==
        "f:2:16: 'network_mtu' must be a whole number from 68 to 65535, not '9'");
  CHECK(message("network_mtu: 1.5") == "f:2:16: 'network_mtu' must be a whole number, not '1.5'");
  CHECK(message("wait_for_services_timeout: -2") ==
        "f:2:30: 'wait_for_services_timeout' must be at least -1 seconds, not '-2'");
  CHECK(message("services: [{alias: x}]") == "f:2:14: 'services' has an entry without 'name'");
  CHECK(message("services: [{name: x, port: 1}]") == "f:2:24: unknown key 'port' in 'services'");
  CHECK(message("services: [{name: x, environment: [A]}]") ==
        "f:2:38: 'environment' must be NAME=value, not 'A'");
  CHECK(message("cap_add: [[x]]") == "f:2:13: 'cap_add' must be a string, not a list");
}

TEST_CASE("docker settings: Docker daemons of jobs") {
  const auto settings = tests::parse_section("backend: docker\ndocker:\n", R"(privileged: false
services_privileged: true
allowed_privileged_images: [docker:*]
allowed_privileged_services: ["docker:*dind*", "registry.test/**"]
docker_in_docker: always
docker_in_docker_image: registry.test/docker:dind
docker_in_docker_keep_layers: true
network: shared)");
  CHECK(settings.policy.allowed_privileged_images == Words{"docker:*"});
  CHECK(settings.policy.allowed_privileged_services == Words{"docker:*dind*", "registry.test/**"});
  CHECK(settings.policy.docker_in_docker == core::DockerInDocker::always);
  CHECK(settings.policy.docker_in_docker_image == "registry.test/docker:dind");
  CHECK(settings.policy.docker_in_docker_keep_layers);
  CHECK(settings.docker.network == settings::NetworkMode::shared);
  CHECK(message("docker_in_docker: yes please") ==
        "f:2:21: 'docker_in_docker' must be auto, always or never, not 'yes please'");
  CHECK(message("network: host") ==
        "f:2:12: 'network' must be auto, aliases or shared, not 'host'");
}

TEST_CASE("docker settings: keys of the built-in executor are refused by name") {
  for (const char* key : {"network_mode",
                          "links",
                          "dns_search",
                          "hostname",
                          "mac_address",
                          "enable_ipv6",
                          "disable_entrypoint_overwrite",
                          "allowed_users",
                          "helper_image_flavor",
                          "services_limit",
                          "services_security_opt",
                          "services_tmpfs",
                          "services_devices",
                          "service_memory",
                          "service_memory_swap",
                          "service_memory_reservation",
                          "service_cpus",
                          "service_cpu_shares",
                          "service_cpuset_cpus",
                          "service_cgroup_parent",
                          "service_slot_cgroup_template",
                          "service_gpus",
                          "volumes_from",
                          "volume_keep",
                          "volume_driver",
                          "volume_driver_ops",
                          "tmpfs",
                          "memory_swap",
                          "memory_reservation",
                          "cpu_shares",
                          "cpuset_cpus",
                          "cpuset_mems",
                          "cgroup_parent",
                          "ulimit",
                          "oom_kill_disable",
                          "oom_score_adjust",
                          "userns_mode",
                          "group_add",
                          "sysctls",
                          "devices",
                          "device_cgroup_rules",
                          "gpus",
                          "runtime",
                          "isolation",
                          "pid_mode",
                          "ipcmode",
                          "container_labels",
                          "log_options"}) {
    CHECK(message(std::string(key) + ": x") ==
          "f:2:3: '" + std::string(key) + "' in 'docker' is not yet supported");
  }
  CHECK(message("imagee: x") == "f:2:3: unknown key 'imagee' in 'docker'; did you mean 'image'?");
}
