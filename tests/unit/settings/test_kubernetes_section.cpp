#include "executor/settings/pattern.hpp"
#include "executor/settings/resource_keys.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/settings/section.hpp"

using namespace berth;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

settings::Settings parse_kubernetes(const std::string& lines) {
  return tests::parse_section("backend: kubernetes\nkubernetes:\n", lines);
}

std::string message(const std::string& lines) {
  return tests::message_of<support::OperatorError>([&] { parse_kubernetes(lines); });
}

}  // namespace

TEST_CASE("kubernetes settings: defaults") {
  const settings::Settings none = settings::parse("backend: kubernetes\n", "f");
  CHECK(none.policy.backend == "kubernetes");
  // The cluster decides.
  CHECK(none.policy.pull_policies.empty());
  CHECK(none.kubernetes == settings::Kubernetes{});
  CHECK(none.kubernetes.poll_timeout == 180s);
  CHECK(none.kubernetes.poll_interval == 3s);
  CHECK(none.kubernetes.cleanup_resources_timeout == 5min);
  CHECK(none.kubernetes.print_pod_warning_events);
}

TEST_CASE("kubernetes settings: connection, images and times") {
  const settings::Settings all = parse_kubernetes(R"(host: https://10.0.0.1:6443
cert_file: /k/cert.pem
key_file: /k/key.pem
ca_file: /k/ca.pem
bearer_token: s3cr3t
bearer_token_overwrite_allowed: true
kubeconfig: /k/config
context: ci
namespace: ci-jobs
image: debian:bookworm
helper_image: mirror/helper:1
pull_policy: if-not-present
allowed_pull_policies: [always, if-not-present]
allowed_images: ["registry/**"]
allowed_services: ["postgres:*"]
wait_for_services_timeout: 1m
poll_interval: 1
poll_timeout: 10m
print_pod_warning_events: false
pod_termination_grace_period_seconds: 0
cleanup_grace_period_seconds: 5
cleanup_resources_timeout: 1m
services:
  - {name: "redis:7", alias: cache, environment: [A=b]}
)");
  const settings::Kubernetes& k = all.kubernetes;
  CHECK(k.host == "https://10.0.0.1:6443");
  CHECK(k.cert_file == "/k/cert.pem");
  CHECK(k.key_file == "/k/key.pem");
  CHECK(k.ca_file == "/k/ca.pem");
  CHECK(k.bearer_token.expose() == "s3cr3t");
  CHECK(k.bearer_token_overwrite_allowed);
  CHECK(k.kubeconfig == "/k/config");
  CHECK(k.context == "ci");
  CHECK(k.namespace_name == "ci-jobs");
  CHECK(all.policy.image == "debian:bookworm");
  CHECK(all.policy.helper_image == "mirror/helper:1");
  CHECK(all.policy.pull_policies == Words{"if-not-present"});
  CHECK(all.policy.allowed_pull_policies == Words{"always", "if-not-present"});
  CHECK(all.policy.allowed_images == Words{"registry/**"});
  CHECK(all.policy.allowed_services == Words{"postgres:*"});
  CHECK(all.policy.wait_for_services_timeout == 1min);
  REQUIRE(all.policy.services.size() == 1);
  CHECK(all.policy.services[0].variables[0].value == "b");
  CHECK(k.poll_interval == 1s);
  CHECK(k.poll_timeout == 10min);
  CHECK_FALSE(k.print_pod_warning_events);
  CHECK(k.pod_termination_grace_period == 0s);
  CHECK(k.cleanup_grace_period == 5s);
  CHECK(k.cleanup_resources_timeout == 1min);
}

TEST_CASE("kubernetes settings: each backend has its own rules") {
  const std::string sections =
      "docker:\n  image: d\n  pull_policy: never\nkubernetes:\n  image: k\norphan_timeout: 1m\n";
  const settings::Settings docker = settings::parse(sections, "f");
  CHECK(docker.policy.image == "d");
  CHECK(docker.policy.pull_policies == Words{"never"});
  const settings::Settings kubernetes = settings::parse(sections + "backend: kubernetes\n", "f");
  CHECK(kubernetes.policy.image == "k");
  CHECK(kubernetes.policy.pull_policies.empty());
  CHECK(kubernetes.policy.orphan_timeout == 1min);
}

TEST_CASE("kubernetes settings: errors say where") {
  CHECK(message("namespace_per_job: true") ==
        "f:3:3: 'namespace_per_job' in 'kubernetes' is not yet supported");
  CHECK(message("name_space: x") ==
        "f:3:3: unknown key 'name_space' in 'kubernetes'; did you mean 'namespace'?");
  CHECK(message("cpu_limit: 1 core") ==
        "f:3:14: 'cpu_limit' must be a quantity such as 500m, 2 or 1Gi, not '1 core'");
  CHECK(message("memory_limit_overwrite_max_allowed: -1Gi").starts_with("f:3:39: "));
  CHECK(message("namespace: a/../b") ==
        "f:3:14: 'namespace' must be lower case letters, digits and dashes, not 'a/../b'");
  CHECK(message("namespace_overwrite_allowed: '('") ==
        "f:3:32: 'namespace_overwrite_allowed' must be a regular expression (RE2), not '('");
  CHECK(message("namespace_overwrite_allowed: ''") == "no error");
  CHECK(message("host: 10.0.0.1") ==
        "f:3:9: 'host' must be a URL such as https://10.0.0.1:6443, not '10.0.0.1'");
  CHECK(message("cert_file: /x") ==
        "f:3:3: 'kubernetes' has only one of 'cert_file' and 'key_file'");
  CHECK(message("dns_policy: ClusterFirst").starts_with("f:3:15: 'dns_policy' must be none, "));
  CHECK(message("allowed_users: [root]") == "f:3:19: 'allowed_users' must be user ids, not 'root'");
  CHECK(message("node_selector: {a b: c}") ==
        "f:3:19: 'a b' in 'node_selector' must be a key such as team or example.com/team");
  CHECK(message("node_selector: {a: b c}") == "f:3:22: 'a' must be a label's value, not 'b c'");
  CHECK(message("node_tolerations: {a: Never}") ==
        "f:3:25: 'a' must be NoSchedule, PreferNoSchedule or NoExecute, not 'Never'");
  CHECK(message("pod_labels: {berth.host: x}") ==
        "f:3:16: 'berth.host' in 'pod_labels' is set by Berth");
  CHECK(message("host_aliases: [{hostnames: [a]}]") ==
        "f:3:18: 'host_aliases' has an entry without 'ip'");
  CHECK(message("host_aliases: [{ip: a}]") == "f:3:23: 'ip' must be an IP address, not 'a'");
  CHECK(message("services: [{name: a, suspend_data_path: /x}]") ==
        "f:3:24: 'suspend_data_path' in 'services' is not yet supported");
}

TEST_CASE("kubernetes settings: security contexts") {
  CHECK(message("build_container_security_context: {proc_mount: all}") ==
        "f:3:50: 'proc_mount' must be default or unmasked, not 'all'");
  CHECK(message("pod_security_context: {seccomp_profile: {type: Localhost}}") ==
        "f:3:43: 'seccomp_profile' has 'localhost_profile' with type Localhost, and only with it");
  CHECK(message("pod_security_context: {seccomp_profile: {type: Default}}") ==
        "f:3:50: 'type' must be RuntimeDefault, Localhost or Unconfined, not 'Default'");
  CHECK(message("pod_security_context: {run_as_user: -1}").starts_with("f:3:39: "));
  CHECK(message("pod_security_context: {privileged: true}") ==
        "f:3:26: unknown key 'privileged' in 'pod_security_context'");
}

TEST_CASE("kubernetes settings: volumes") {
  CHECK(message("volumes: {empty_dir: [{mount_path: /x}]}") ==
        "f:3:25: 'empty_dir' has an entry without 'name'");
  CHECK(message("volumes: {nfs: [{name: a, mount_path: /x, server: s}]}") ==
        "f:3:19: 'nfs' has an entry without 'path'");
  CHECK(message("volumes: {csi: [{name: a, mount_path: /x}]}") ==
        "f:3:19: 'csi' has an entry without 'driver'");
  CHECK(message("volumes: {empty_dir: [{name: a, mount_path: x}]}") ==
        "f:3:47: 'mount_path' must be an absolute path, not 'x'");
  CHECK(message("volumes: {empty_dir: [{name: a, mount_path: /x, read_only: true}]}")
            .starts_with("f:3:51: unknown key 'read_only' in 'empty_dir'"));
  CHECK(message("volumes: {empty_dir: [{name: a, mount_path: /x}], secret: [{name: b, mount_path: "
                "/x/}]}")
            .find("'volumes' mounts '/x/' twice") != std::string::npos);
  CHECK(message("volumes: {empty_dir: [{name: a, mount_path: /x}], secret: [{name: a, mount_path: "
                "/y}]}")
            .find("two kinds of volume named 'a'") != std::string::npos);
  CHECK(message("volumes: {pvc: [{name: \"$X/../\", mount_path: /x}]}") == "no error");
  CHECK(message("volumes: {secret: [{name: \"$X\", mount_path: /x}]}") != "no error");
  CHECK(message("volumes: {empty_dir: [{name: a, mount_path: //.berth/run}]}") ==
        "f:3:25: 'volumes' mounts at '/.berth', where Berth's own things are");
  CHECK(message("volumes: {gluster: []}").find("unknown key 'gluster'") != std::string::npos);
}

TEST_CASE("kubernetes settings: a directory that jobs share") {
  const settings::Kubernetes k = parse_kubernetes(
                                     "volumes:\n  pvc: [{name: a, mount_path: /builds/}]\n"
                                     "  empty_dir: [{name: b, mount_path: /cache}]\n")
                                     .kubernetes;
  CHECK(settings::is_shared(k, "/builds"));
  CHECK_FALSE(settings::is_shared(k, "/cache"));
  CHECK_FALSE(settings::is_shared(k, "/x"));

  settings::Settings all;
  all.kubernetes = k;
  all.policy.backend = "docker";
  CHECK_FALSE(settings::is_shared(all, "/builds"));
  all.policy.backend = "kubernetes";
  CHECK(settings::is_shared(all, "/builds"));
  CHECK_FALSE(settings::is_shared(all, "/cache"));
}

TEST_CASE("kubernetes settings: affinity, DNS and lifecycle are the API's objects") {
  const settings::Kubernetes k = parse_kubernetes(R"(dns_config:
  options: [{name: ndots, value: "2"}]
container_lifecycle:
  post_start: {tcp_socket: {port: 80}}
affinity:
  node_affinity:
    preferred_during_scheduling_ignored_during_execution:
      - {weight: 5, preference: {match_expressions: [{key: a, operator: Exists}]}}
)")
                                     .kubernetes;
  CHECK(k.dns_config == R"({"options":[{"name":"ndots","value":"2"}]})");
  CHECK(k.container_lifecycle == R"({"postStart":{"tcpSocket":{"port":80}}})");
  CHECK(k.affinity ==
        R"({"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":)"
        R"([{"preference":{"matchExpressions":[{"key":"a","operator":"Exists"}]},"weight":5}]}})");
  CHECK(message("affinity: {pod_affinity: {required_during_scheduling_ignored_during_execution: "
                "[{namespaces: [a]}]}}")
            .find("needs 'topology_key'") != std::string::npos);
  CHECK(message("affinity: {node_affinity: {requiredDuringScheduling: 1}}")
            .find("unknown key 'requiredDuringScheduling'") != std::string::npos);
  CHECK(message("container_lifecycle: {pre_stop: {exec: {command: x}}}")
            .find("'command' must be a list") != std::string::npos);
}

TEST_CASE("kubernetes settings: patches, however they are written") {
  const auto patches = parse_kubernetes(R"(pod_spec:
  - name: text
    patch: |
      hostNetwork: true
      priority: 1000
      ratio: 0.5
      name: "1000"
      other: null
  - name: json in text
    patch_type: merge
    patch: '{"a": [1, "b"]}'
  - name: map
    patch_type: merge
    patch: {tolerations: [{key: a}]}
  - name: list
    patch_type: json
    patch: [{op: remove, path: /a}]
)")
                           .kubernetes.pod_spec;
  REQUIRE(patches.size() == 4);
  CHECK(patches[0].type == settings::PodSpecPatch::Type::strategic);
  CHECK(patches[0].patch ==
        R"({"hostNetwork":true,"name":"1000","other":null,"priority":1000,"ratio":0.5})");
  CHECK(patches[1].patch == R"({"a":[1,"b"]})");
  CHECK(patches[2].patch == R"({"tolerations":[{"key":"a"}]})");
  CHECK(patches[3].patch == R"([{"op":"remove","path":"/a"}])");

  CHECK(message("pod_spec: [{name: a}]") ==
        "f:3:14: 'pod_spec' has an entry that needs 'patch' or 'patch_path'");
  CHECK(message("pod_spec: [{patch: {}, patch_path: /x}]") ==
        "f:3:14: 'pod_spec' has an entry that needs 'patch' or 'patch_path'");
  CHECK(message("pod_spec: [{patch_type: json, patch: {a: 1}}]") ==
        "f:3:40: 'patch' must be a list of operations (patch_type json), not a map");
  CHECK(message("pod_spec: [{patch: \"a: [\"}]").starts_with("f:3:22: 'patch': line:1:"));
  CHECK(message("pod_spec: [{patch: {}, patch_type: x}]").find("merge, json or strategic") !=
        std::string::npos);
}

TEST_CASE("kubernetes settings: a patch in a file of its own") {
  const tests::TempDir folder;
  const std::filesystem::path patch = folder.path() / "patch.yaml";
  const std::filesystem::path file = folder.path() / "berth.yaml";
  support::write_file_atomically(
      file, "kubernetes:\n  pod_spec:\n    - {name: p, patch_path: " + patch.string() + "}\n");
  const auto nothing = [](std::string_view) -> std::optional<std::string> { return "/state"; };
  CHECK_THROWS_AS(settings::load(file, nothing), support::OperatorError);
  support::write_file_atomically(patch, "- a list\n");
  CHECK_THROWS_AS(settings::load(file, nothing), support::OperatorError);
  support::write_file_atomically(patch, "hostNetwork: true\n");
  const settings::Settings loaded = settings::load(file, nothing);
  CHECK(loaded.kubernetes.pod_spec.at(0).patch == R"({"hostNetwork":true})");
}

TEST_CASE("kubernetes settings: names of resources and of their variables") {
  CHECK(settings::resource_keys().size() == 22);
  CHECK(settings::resource_keys().front().key == "cpu_limit");
  CHECK(settings::resource_keys().front().variable == "KUBERNETES_CPU_LIMIT");
  CHECK(settings::resource_keys().back().key == "pod_memory_request");
  CHECK(settings::resource_keys().back().variable == "KUBERNETES_POD_MEMORY_REQUEST");
  const settings::Kubernetes k =
      parse_kubernetes("helper_ephemeral_storage_request: 1Gi\npod_cpu_limit: 2\n").kubernetes;
  CHECK(k.helper.requests.ephemeral_storage == "1Gi");
  CHECK(k.pod.limits.cpu == "2");
}

TEST_CASE("kubernetes settings: patterns are RE2, found anywhere") {
  CHECK(settings::pattern_found("b+", "abbc"));
  CHECK_FALSE(settings::pattern_found("^b+$", "abbc"));
  CHECK_FALSE(settings::pattern_valid("(a"));
  CHECK_FALSE(settings::pattern_found("(a", "(a"));
  // Backtracking engines never finish this one.
  CHECK_FALSE(settings::pattern_found("^(a+)+$", std::string(50000, 'a') + "b"));
}
