#include "executor/environments/workloads/access.hpp"
#include "executor/environments/workloads/after_script.hpp"
#include "executor/kubernetes/api/api_error.hpp"
#include "executor/kubernetes/api/server_version.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/console.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/http_server.hpp"
#include "tests/support/thrown.hpp"

#include <fmt/format.h>

#include <unistd.h>

using namespace berth;
using namespace berth::environments::workloads;
using tests::message_of;
using From = KubeconfigText::From;

namespace {

constexpr std::chrono::sys_seconds k_now{std::chrono::seconds{1'795'000'000}};

struct Parts {
  std::string server = "https://10.1.2.3:6443";
  std::string user = "token: 0123456789abcdef";
  std::string cluster{};
};

std::string kubeconfig(const Parts& parts = {}) {
  return fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: test\n"
      "clusters:\n- name: c\n  cluster:\n    server: {}\n{}"
      "users:\n- name: u\n  user:\n    {}\n"
      "contexts:\n- name: test\n  context: {{cluster: c, user: u, namespace: shop-test}}\n"
      "- name: prod\n  context: {{cluster: c, user: u, namespace: shop}}\n",
      parts.server, parts.cluster.empty() ? "" : "    " + parts.cluster + "\n", parts.user);
}

core::Variables variables(const std::vector<std::pair<std::string, std::string>>& all) {
  core::Variables made;
  for (const auto& [key, value] : all) made.set({.key = key, .value = value});
  return made;
}

KubeconfigText text(const std::string& content, From from = From::variable) {
  return {.from = from, .where = "variable KUBE_CONFIG", .text = support::Secret(content)};
}

}  // namespace

TEST_CASE("The kubeconfig among a job's variables is found however it is encoded") {
  const std::string encoded = support::base64_encode(kubeconfig());
  const auto found =
      kubeconfig_of(variables({{"OTHER", std::string(200, 'x')}, {"KUBE_CONFIG", encoded}}), k_now);
  REQUIRE(found);
  CHECK(found->where == "variable KUBE_CONFIG");
  CHECK(found->text.expose() == kubeconfig());
  CHECK_FALSE(kubeconfig_of(variables({{"KUBECONFIG", "/etc/deploy/config"}}), k_now));
}

TEST_CASE("Of several kubeconfigs the one that is called so counts, else none is guessed") {
  const std::string other = kubeconfig({.server = "https://10.9.9.9:6443"});
  const auto named =
      kubeconfig_of(variables({{"A_FILE", other}, {"PROD_KUBE", kubeconfig()}}), k_now);
  REQUIRE(named);
  CHECK(named->where == "variable PROD_KUBE");
  CHECK_FALSE(kubeconfig_of(variables({{"A_FILE", other}, {"B_FILE", kubeconfig()}}), k_now));
  CHECK(kubeconfig_of(variables({{"A_FILE", other}}), k_now));
}

TEST_CASE("A script leaves its kubeconfig where kubectl looks for it") {
  const std::string passwd = "root:x:0:0:root:/root:/bin/sh\nci:x:1000:1000::/home/ci:/bin/sh\n";
  CHECK(kubeconfig_paths(variables({{"KUBECONFIG", "/etc/deploy/config:/x"}, {"HOME", "/tmp/h"}}),
                         passwd, 1000) == std::vector<std::string>{"/etc/deploy/config",
                                                                   "/home/ci/.kube/config",
                                                                   "/tmp/h/.kube/config"});
  CHECK(kubeconfig_paths(variables({{"KUBECONFIG", "$CI_PROJECT_DIR/config"},
                                    {"CI_PROJECT_DIR", "/builds/a/b"}}),
                         "", 7) == std::vector<std::string>{"/builds/a/b/config"});
  CHECK(kubeconfig_paths(variables({}), "::::x\nroot:x:0", 0).empty());
}

TEST_CASE("Context and namespace: the job's words, the kubeconfig's, the pin") {
  const Target plain = target_of(text(kubeconfig()), {}, {});
  CHECK(plain.context == "test");
  CHECK(plain.name_space == "shop-test");
  CHECK(plain.connection.host() == "10.1.2.3:6443");
  const auto job = variables({{"KUBECONTEXT", "prod"}, {"KUBE_NAMESPACE", "blue"}});
  CHECK(target_of(text(kubeconfig()), job, {}).context == "prod");
  CHECK(target_of(text(kubeconfig()), job, {}).name_space == "blue");
  // What a script left says itself which context it used.
  CHECK(target_of(text(kubeconfig(), From::file), job, {}).context == "test");
  const Pins pins{.contexts = {"prod"}, .namespaces = {"shop"}};
  CHECK(target_of(text(kubeconfig()), {}, pins).context == "prod");
  CHECK(target_of(text(kubeconfig()), {}, pins).name_space == "shop");
}

TEST_CASE("What goes against a pin is refused") {
  const Pins pins{.contexts = {"prod", "eu-*"}, .namespaces = {"shop*"}};
  CHECK(message_of<support::JobError>([&] { target_of(text(kubeconfig()), {}, pins); }) ==
        "the environment's context is 'prod', 'eu-*', and the job uses 'test' (variable "
        "KUBE_CONFIG)");
  CHECK_THROWS_AS(target_of(text(kubeconfig(), From::file), {}, pins), support::JobError);
  const auto prod = variables({{"KUBECONTEXT", "prod"}});
  CHECK(target_of(text(kubeconfig()), prod, pins).name_space == "shop");
  const auto elsewhere = variables({{"KUBECONTEXT", "prod"}, {"KUBE_NAMESPACE", "kube-system"}});
  CHECK_THROWS_AS(target_of(text(kubeconfig()), elsewhere, pins), support::JobError);
}

TEST_CASE(
    "A job's kubeconfig reads no file of this machine, starts nothing, and reaches out only") {
  const Parts parts = GENERATE(
      Parts{.user = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh}"},
      Parts{.user = "tokenFile: /etc/shadow"},
      Parts{.user = "{client-certificate: /etc/a, client-key: /etc/b}"},
      Parts{.user = "{token: x, client-key: /root/.ssh/id_rsa}"},
      Parts{.cluster = "certificate-authority: /etc/passwd"},
      Parts{.cluster = "proxy-url: http://10.0.0.1:3128"}, Parts{.server = "http://10.1.2.3:8080"},
      Parts{.server = "https://127.0.0.1:6443"}, Parts{.server = "https://localhost"},
      Parts{.server = "https://169.254.169.254/latest"}, Parts{.server = "https://[::1]:6443"});
  INFO(kubeconfig(parts));
  CHECK_THROWS_AS(target_of(text(kubeconfig(parts)), {}, {}), support::JobError);
  CHECK_THROWS_AS(target_of(text(kubeconfig(parts), From::file), {}, {}), support::JobError);
}

TEST_CASE("Where a name of a job's kubeconfig resolves to this machine nothing is asked") {
  tests::HttpServer server;
  const std::string port = server.url().substr(server.url().rfind(':'));
  // Addresses have more spellings than text can tell.
  const std::string content = kubeconfig({.server = "https://2130706433" + port});
  support::StreamConsole console(STDERR_FILENO, false);
  const auto client = connect(target_of(text(content), {}, {}), console);
  CHECK_THAT(
      message_of<kubernetes::ApiUnreachable>([&] { kubernetes::server_version(*client, {}); }),
      EndsWith("is an address of this machine or its link"));
  CHECK(server.connections() == 0);
  CHECK_FALSE(target_of(text(kubeconfig(), From::operator_), {}, {}).connection.elsewhere);
}

TEST_CASE(
    "An operator's kubeconfig has contexts of its own, and is for the namespaces of its rule") {
  const auto of = [](const std::string& context, const std::string& name_space, const Pins& pins) {
    core::Variables job;
    if (!context.empty()) job = variables({{"KUBECONTEXT", context}});
    if (!name_space.empty()) job.set({.key = "KUBE_NAMESPACE", .value = name_space, .raw = true});
    return target_of(text(kubeconfig(), From::operator_), job, pins);
  };
  CHECK(of("prod", "", {}).context == "prod");
  CHECK(of("deployer.test", "", {}).context == "test");
  CHECK_THROWS_AS(of("deployer.test", "", {.contexts = {"prod"}}), WrongTarget);
  CHECK(of("", "", {.contexts = {"prod"}}).context == "prod");
  CHECK(of("", "shop-test", {}).name_space == "shop-test");
  CHECK_THROWS_AS(of("", "bank", {}), support::OperatorError);
  CHECK_THROWS_AS(of("", "bank", {.namespaces = {"shop*"}}), WrongTarget);
  CHECK(of("", "shop-2", {.namespaces = {"shop*"}}).name_space == "shop-2");
}

TEST_CASE("An operator's kubeconfig may do so, and its faults are the operator's") {
  const std::string own = kubeconfig({.server = "https://127.0.0.1:6443"});
  CHECK(target_of(text(own, From::operator_), {}, {}).connection.host() == "127.0.0.1:6443");
  CHECK_THROWS_AS(target_of(text("clusters: 1", From::operator_), {}, {}), support::OperatorError);
  CHECK_THROWS_AS(target_of(text("clusters: 1"), {}, {}), support::JobError);
}
