#include "tests/integration/kubernetes_api/cluster_under_test.hpp"

#include "executor/kubernetes/api/watch.hpp"
#include "executor/support/files.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unistd.h>

namespace berth::tests {
namespace {

using nlohmann::json;

[[noreturn]] void leave_out(const std::string& why) {
  const char* required = std::getenv("BERTH_REQUIRE");
  const bool must =
      required != nullptr && std::string(required).find("kubernetes") != std::string::npos;
  std::fprintf(stderr, "%s: %s\n", must ? "FAILED" : "SKIPPED", why.c_str());
  std::fflush(nullptr);
  ::_exit(must ? 1 : 125);
}

kubernetes::Connection connection() {
  // Never somebody's ~/.kube/config: what it names may not be there for tests.
  const char* file = std::getenv("KUBECONFIG");
  if (file == nullptr || *file == '\0') leave_out("$KUBECONFIG names no cluster for tests");
  try {
    return kubernetes::load_connection({.kubeconfig = file});
  } catch (const support::Error& error) {
    leave_out(error.what());
  }
}

kubernetes::ClientOptions options(std::vector<net::HttpCall>& calls) {
  kubernetes::ClientOptions options;
  options.patience = std::chrono::seconds(10);
  options.on_call = [&calls, mutex = std::make_shared<std::mutex>()](const net::HttpCall& call) {
    const std::lock_guard lock(*mutex);
    calls.push_back(call);
  };
  return options;
}

}  // namespace

ClusterUnderTest::ClusterUnderTest(json namespace_labels)
    : m_client(connection(), options(m_calls)),
      m_namespace("berth-test-" + support::random_hex(4)) {
  try {
    m_client.get_path("/version", {});
  } catch (const support::Error& error) {
    leave_out(error.what());
  }
  m_client.create(kubernetes::resources::k_namespaces, "",
                  {{"apiVersion", "v1"},
                   {"kind", "Namespace"},
                   {"metadata", {{"name", m_namespace}, {"labels", namespace_labels}}}},
                  {});
  // Pods need the account that a controller makes.
  kubernetes::watch(m_client,
                    {.resource = kubernetes::resources::k_service_accounts,
                     .name_space = m_namespace,
                     .name = "default",
                     .selectors = {},
                     .resource_version = {}},
                    [](const kubernetes::WatchEvent&) { return false; }, soon(), {});
  m_calls.clear();
}

ClusterUnderTest::~ClusterUnderTest() {
  try {
    m_client.remove(kubernetes::resources::k_namespaces, "", m_namespace, {}, {});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cleaning up: %s\n", error.what());
  }
}

json ClusterUnderTest::pod(const std::string& name, const std::vector<std::string>& command) const {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", {{"berth.test", name}}}}},
          {"spec",
           {{"restartPolicy", "Never"},
            {"terminationGracePeriodSeconds", 0},
            {"automountServiceAccountToken", false},
            {"enableServiceLinks", false},
            {"containers",
             {{{"name", "build"},
               {"image", "busybox:latest"},
               {"imagePullPolicy", "IfNotPresent"},
               {"command", command}}}}}}};
}

json ClusterUnderTest::create(const json& pod) {
  return m_client.create(kubernetes::resources::k_pods, m_namespace, pod, {});
}

json ClusterUnderTest::run(const json& pod) {
  const json made = create(pod);
  json running;
  const auto end =
      kubernetes::watch(m_client,
                        {.resource = kubernetes::resources::k_pods,
                         .name_space = m_namespace,
                         .name = made["metadata"]["name"],
                         .selectors = {},
                         .resource_version = made["metadata"]["resourceVersion"]},
                        [&](const kubernetes::WatchEvent& event) {
                          running = event.object;
                          const json& status = event.object["status"];
                          return !status.contains("containerStatuses") ||
                                 !status["containerStatuses"][0]["state"].contains("running");
                        },
                        soon(), {});
  if (end != kubernetes::WatchEnd::enough)
    throw std::runtime_error("the pod does not run: " + running["status"].dump());
  return running;
}

kubernetes::Connection ClusterUnderTest::as_nobody() const {
  kubernetes::Connection connection = m_client.connection();
  connection.headers.push_back({"Impersonate-User", "berth-test-nobody"});
  return connection;
}

}  // namespace berth::tests
