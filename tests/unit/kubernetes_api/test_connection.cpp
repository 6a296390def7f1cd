#include "executor/kubernetes/api/connection.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"

#include <map>

using namespace berth;
using namespace berth::kubernetes;
using tests::TempDir;

namespace {

struct Bench {
  TempDir dir;
  std::map<std::string, std::string, std::less<>> variables{};

  std::string write(const std::string& name, const std::string& content) {
    const std::filesystem::path path = dir.path() / name;
    std::filesystem::create_directories(path.parent_path());
    support::write_file_atomically(path, content);
    return path.string();
  }
  Connection load(const ConnectionChoice& choice = {}) {
    return load_connection(choice, [this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    });
  }
  std::string error(const ConnectionChoice& choice = {}) {
    return tests::message_and_hint_of<support::OperatorError>([&] { load(choice); });
  }
  std::string error_of_user(const std::string& user) {
    return error({.kubeconfig = config("https://a", user)});
  }
  std::string config(const std::string& server, const std::string& user,
                     const std::string& cluster = "") {
    return write("config",
                 "current-context: c\n"
                 "contexts: [{name: c, context: {cluster: k, user: u, namespace: n}}]\n"
                 "clusters: [{name: k, cluster: {server: '" +
                     server + "'" + cluster + "}}]\nusers: [{name: u, user: " + user + "}]\n");
  }
  void service_account() {
    write("sa/token", "inside\n");
    write("sa/ca.crt", "CA");
    write("sa/namespace", "jobs\n");
    variables["BERTH_SERVICE_ACCOUNT_DIR"] = (dir.path() / "sa").string();
    variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
    variables["KUBERNETES_SERVICE_PORT"] = "443";
  }
};

}  // namespace

TEST_CASE("The settings' host stands alone") {
  Bench bench;
  bench.service_account();
  bench.variables["HTTPS_PROXY"] = "http://proxy:3128";
  const Connection connection = bench.load({.host = "https://api.example.com:6443/k8s/c-1/",
                                            .cert_file = bench.write("crt", "CRT"),
                                            .key_file = bench.write("key", "KEY"),
                                            .ca_file = bench.write("ca", "CA"),
                                            .bearer_token = support::Secret("t")});
  CHECK(connection.base_url == "https://api.example.com:6443");
  CHECK(connection.path_prefix == "/k8s/c-1");
  CHECK(connection.host() == "api.example.com:6443");
  CHECK(connection.tls.ca_pem == "CA");
  CHECK(connection.default_namespace == "default");
  CHECK(connection.proxy.expose() == "http://proxy:3128");
  const Proof proof = connection.credentials->current({});
  CHECK(proof.token.expose() == "t");
  CHECK(proof.certificate_pem == "CRT");
  CHECK(proof.key_pem.expose() == "KEY");

  CHECK(bench.load({.host = "10.0.0.1"}).base_url == "https://10.0.0.1");
  CHECK_THAT(bench.error({.host = "ftp://a"}), ContainsSubstring("no http or https URL"));
  CHECK_THAT(bench.error({.host = "https://"}), ContainsSubstring("no host"));
  CHECK_THAT(bench.error({.host = "https://me:pw@a"}),
             ContainsSubstring("host, port and path alone") && !ContainsSubstring("pw"));
  CHECK_THAT(bench.error({.host = "a", .cert_file = "/x"}), ContainsSubstring("belong together"));
  CHECK_THAT(bench.error({.host = "a", .ca_file = "/nowhere/ca"}),
             ContainsSubstring("kubernetes.ca_file") && ContainsSubstring("/nowhere/ca"));
}

TEST_CASE("In a pod its service account is used, unless something else is asked for") {
  Bench bench;
  bench.service_account();
  bench.variables["KUBECONFIG"] = bench.config("https://outside", "{token: t}");
  const Connection inside = bench.load();
  CHECK(inside.base_url == "https://[fd00::1]:443");
  CHECK(inside.default_namespace == "jobs");
  CHECK(inside.tls.ca_pem == "CA");
  CHECK(inside.credentials->current({}).token.expose() == "inside");
  // The kubelet replaces the token while a job runs.
  bench.write("sa/token", "rotated");
  CHECK(inside.credentials->current({}).token.expose() == "rotated");

  CHECK(bench.load({.context = "c"}).base_url == "https://outside");
  CHECK(bench.load({.kubeconfig = bench.variables["KUBECONFIG"]}).base_url == "https://outside");
  bench.variables.erase("KUBERNETES_SERVICE_HOST");
  CHECK(bench.load().base_url == "https://outside");
}

TEST_CASE("A kubeconfig's context becomes a connection") {
  Bench bench;
  bench.write("ca.crt", "CA");
  const std::string file = bench.config(
      "https://a:6443", "{token: t, as: bob, as-groups: [x, y], as-user-extra: {a/b: [c]}}",
      ", certificate-authority: ca.crt, tls-server-name: kubernetes, proxy-url: 'http://p:1'");
  bench.variables["HTTPS_PROXY"] = "http://other";
  const Connection connection = bench.load({.kubeconfig = file});
  CHECK(connection.tls.ca_pem == "CA");
  CHECK(connection.tls.server_name == "kubernetes");
  CHECK(connection.proxy.expose() == "http://p:1");
  CHECK(connection.default_namespace == "n");
  CHECK(connection.source == "context 'c' of " + file);
  CHECK(connection.warnings.empty());
  std::string headers;
  for (const net::Header& header : connection.headers)
    headers += header.name + "=" + header.value + ";";
  CHECK(headers ==
        "Impersonate-User=bob;Impersonate-Group=x;Impersonate-Group=y;Impersonate-Extra-a%2Fb=c;");
}

TEST_CASE("TLS without verification is done, and said") {
  Bench bench;
  const Connection connection = bench.load(
      {.kubeconfig = bench.config("https://a", "{token: t}", ", insecure-skip-tls-verify: true")});
  CHECK_FALSE(connection.tls.verify);
  REQUIRE(connection.warnings.size() == 1);
  CHECK_THAT(connection.warnings[0], ContainsSubstring("insecure-skip-tls-verify"));
  CHECK_THAT(bench.error({.kubeconfig = bench.config(
                              "https://a", "{token: t}",
                              ", insecure-skip-tls-verify: true, certificate-authority: x")}),
             ContainsSubstring("exclude each other"));
}

TEST_CASE("What no API server or client takes any more is refused in words") {
  Bench bench;
  CHECK_THAT(bench.error_of_user("{username: a, password: geheim}"),
             ContainsSubstring("no API server takes these since Kubernetes 1.19") &&
                 !ContainsSubstring("geheim"));
  CHECK_THAT(bench.error_of_user("{auth-provider: {name: gcp}}"),
             ContainsSubstring("auth-provider 'gcp'") && ContainsSubstring("exec section"));
  CHECK_THAT(bench.error_of_user(
                 "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}"),
             ContainsSubstring("v1alpha1' is not known"));
  CHECK_THAT(bench.error_of_user("{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
                                 "interactiveMode: Always}}"),
             ContainsSubstring("interactiveMode is Always"));
  CHECK_THAT(bench.error_of_user("{client-certificate-data: Q1JU}"),
             ContainsSubstring("belong together"));
  CHECK_THAT(bench.error_of_user("{client-certificate: no.crt, client-key: no.key}"),
             ContainsSubstring("user 'u' of ") && ContainsSubstring("no.crt"));
}

TEST_CASE("Several files are one configuration, and missing ones are left out") {
  Bench bench;
  const std::string first =
      bench.write("1", "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n");
  const std::string second =
      bench.write("2", "clusters: [{name: k, cluster: {server: 'https://second'}}]\n");
  bench.variables["KUBECONFIG"] = first + ":" + (bench.dir.path() / "none").string() + ":" + second;
  CHECK(bench.load().base_url == "https://second");
  bench.variables["KUBECONFIG"] = (bench.dir.path() / "none").string();
  CHECK_THAT(bench.error(), ContainsSubstring("/none': no such file"));
}

TEST_CASE("Without any configuration all ways are named") {
  Bench bench;
  bench.variables["HOME"] = bench.dir.path().string();
  CHECK_THAT(bench.error(), ContainsSubstring("no way to a cluster is configured") &&
                                ContainsSubstring("/.kube/config"));
  bench.write(".kube/config",
              "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
              "clusters: [{name: k, cluster: {server: 'https://home'}}]\n");
  CHECK(bench.load().base_url == "https://home");
}
