#include "executor/kubernetes/api/kubeconfig.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth;
using namespace berth::kubernetes;

namespace {

constexpr const char* k_whole = R"(
apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: ci
clusters:
- name: one
  cluster:
    server: https://one:6443
    certificate-authority-data: Q0E=
    tls-server-name: kubernetes
    proxy-url: http://user:pw@proxy:3128
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: "8", number: 8, list: [a, true]}
    - name: other
      extension: 1
- name: two
  cluster: {server: "http://two", certificate-authority: pki/ca.crt, insecure-skip-tls-verify: false}
users:
- name: admin
  user:
    client-certificate-data: Q1JU
    client-key: keys/admin.key
    as: bob
    as-groups: [dev, ops]
    as-user-extra: {scopes: [a, b]}
- name: robot
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./bin/login
      args: [token, "--x"]
      env: [{name: A, value: b}]
      provideClusterInfo: true
      interactiveMode: IfAvailable
      installHint: get it
- name: null-user
  user:
contexts:
- name: ci
  context: {cluster: one, user: admin, namespace: jobs}
- name: lost
  context: {cluster: nowhere, user: admin}
- name: nobody
  context: {cluster: two}
- name: ghost
  context: {cluster: two, user: ghost}
)";

std::string refusal_of(const std::string& text) {
  return tests::message_of<support::OperatorError>([&] { parse_kubeconfig(text, "/etc/k"); });
}

std::string selection_error(const Kubeconfig& config, const std::string& context) {
  return tests::message_and_hint_of<support::OperatorError>(
      [&] { select_context(config, context, "kubeconfig '/etc/k'"); });
}

}  // namespace

TEST_CASE("A kubeconfig is read with all that reaches a cluster") {
  const Kubeconfig config = parse_kubeconfig(k_whole, "/home/ci/.kube/config");
  const KubeSelection ci = select_context(config, "", "x");
  CHECK(ci.cluster.server == "https://one:6443");
  CHECK(ci.cluster.ca.data == "CA");
  CHECK(ci.cluster.tls_server_name == "kubernetes");
  CHECK(ci.cluster.proxy_url.expose() == "http://user:pw@proxy:3128");
  CHECK(ci.cluster.exec_config == R"({"audience":"8","list":["a",true],"number":8})");
  CHECK(ci.user.certificate.data == "CRT");
  CHECK(ci.user.key_file == "/home/ci/.kube/keys/admin.key");
  CHECK(ci.user.as == "bob");
  CHECK(ci.user.as_groups == std::vector<std::string>{"dev", "ops"});
  CHECK(ci.user.as_extra ==
        std::vector<std::pair<std::string, std::string>>{{"scopes", "a"}, {"scopes", "b"}});
  CHECK(ci.name_space == "jobs");
  CHECK(ci.where == "context 'ci' of /home/ci/.kube/config");
  CHECK(config.clusters.at("two").ca.file == "/home/ci/.kube/pki/ca.crt");
  const ExecPlugin& plugin = *config.users.at("robot").exec;
  CHECK(plugin.command == "/home/ci/.kube/bin/login");
  CHECK(plugin.args == std::vector<std::string>{"token", "--x"});
  CHECK(plugin.env == std::vector<std::pair<std::string, std::string>>{{"A", "b"}});
  CHECK(plugin.install_hint == "get it");
  CHECK(config.users.at("robot").exec_wants_cluster);
  CHECK(select_context(config, "nobody", "x").user.token.empty());
}

TEST_CASE("JSON and an empty file are kubeconfigs too") {
  const Kubeconfig config = parse_kubeconfig(
      R"({"clusters":[{"name":"a","cluster":{"server":"https://a"}}],"current-context":""})", "/c");
  CHECK(config.clusters.at("a").server == "https://a");
  CHECK(parse_kubeconfig("", "/c").contexts.empty());
}

TEST_CASE("What is wrong in a kubeconfig is named with its place, secrets never") {
  CHECK(refusal_of("clusters: 1\n") == "/etc/k:1:11: 'clusters' must be a list");
  CHECK(refusal_of("- a\n") == "/etc/k:1:1: a map is expected here");
  CHECK(refusal_of("users: [{user: {token: x}}]\n") == "/etc/k:1:9: a user without a name");
  CHECK(refusal_of("users:\n- name: a\n  user: {client-key-data: 'sec!ret'}\n") ==
        "/etc/k:3:27: 'client-key-data' is not base64");
  CHECK(refusal_of("clusters:\n- name: a\n  cluster: {insecure-skip-tls-verify: maybe}\n") ==
        "/etc/k:3:39: 'insecure-skip-tls-verify' must be true or false");
  CHECK(refusal_of("users:\n- name: a\n  user: {token: [secret]}\n") ==
        "/etc/k:3:17: 'token' must be a string");
  CHECK(refusal_of("users:\n- name: a\n  user: {exec: {args: [a]}}\n") ==
        "/etc/k:3:16: 'exec' needs a 'command'");
  CHECK_THAT(refusal_of("a: 1\na: 2\n"), ContainsSubstring("given twice"));
  CHECK_THAT(refusal_of("a: [\n"), StartsWith("/etc/k:"));
}

TEST_CASE("A context that leads nowhere says what there is") {
  const Kubeconfig config = parse_kubeconfig(k_whole, "/etc/k");
  CHECK(
      selection_error(config, "prod") ==
      "kubeconfig '/etc/k': there is no context 'prod' | contexts there: ci, ghost, lost, nobody");
  CHECK(selection_error(config, "lost") ==
        "context 'lost' of /etc/k: its cluster 'nowhere' is not there | clusters there: one, two");
  CHECK(selection_error(config, "ghost") ==
        "context 'ghost' of /etc/k: its user 'ghost' is not there | users there: admin, "
        "null-user, robot");
  CHECK_THAT(selection_error(Kubeconfig{}, ""),
             StartsWith("kubeconfig '/etc/k': no current-context is set"));
}

TEST_CASE("Of several files the first to have a name keeps it") {
  Kubeconfig first = parse_kubeconfig(R"({users: [{name: red, user: {token: one}}]})", "/a/1");
  merge_kubeconfig(first, parse_kubeconfig(R"({current-context: x,
        users: [{name: red, user: {token: two, as: bob}}, {name: blue, user: {token: three}}]})",
                                           "/a/2"));
  merge_kubeconfig(first, parse_kubeconfig("current-context: y", "/a/3"));
  CHECK(first.current_context == "x");
  CHECK(first.users.at("red").token.expose() == "one");
  CHECK(first.users.at("red").as.empty());
  CHECK(first.users.at("blue").where == "user 'blue' of /a/2");
}
