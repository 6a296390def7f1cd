#pragma once

#include "executor/environments/workloads/after_script.hpp"
#include "tests/unit/environments_workloads/objects.hpp"
#include "tests/unit/kubernetes_api/fake_cluster.hpp"

#include <mutex>
#include <string>
#include <vector>

/// A namespace "shop" of an API server of the test's own.
namespace berth::tests {

class Lines final : public support::Console {
 public:
  void line(std::string_view text) override { add(text); }
  void warning(std::string_view text) override { add(text); }
  std::string all() {
    const std::lock_guard lock(m_mutex);
    return m_text;
  }

 private:
  void add(std::string_view text) {
    const std::lock_guard lock(m_mutex);
    m_text.append(text).push_back('\n');
  }
  std::mutex m_mutex;
  std::string m_text;
};

/// Nothing more comes, and the connection stays.
inline ServerReply stays() {
  return {.headers = {{"Connection", "close"}}, .upgrade = [](ServerPeer& peer) { peer.read(); }};
}

inline std::string list_path(const std::string& plural) {
  const bool core = plural == "pods" || plural == "events";
  const bool batch = plural == "jobs" || plural == "cronjobs";
  return std::string(core    ? "/api/v1"
                     : batch ? "/apis/batch/v1"
                             : "/apis/apps/v1") +
         "/namespaces/shop/" + plural;
}

inline void serve(Cluster& cluster, const std::string& plural,
                  const std::vector<nlohmann::json>& items, bool may_watch = true) {
  const std::string body =
      nlohmann::json{{"metadata", {{"resourceVersion", "9"}}}, {"items", items}}.dump();
  cluster.server.on("GET", list_path(plural), [body, may_watch](const ServerRequest& request) {
    const bool watch = request.target.find("watch=") != std::string::npos;
    if (!watch) return ServerReply{.body = body};
    return may_watch ? stays() : refusal(403, "Forbidden", "may not watch");
  });
}

inline std::vector<nlohmann::json> items_of(const nlohmann::json& record,
                                            const std::string& plural) {
  std::vector<nlohmann::json> items;
  if (record.contains(plural)) items.assign(record.at(plural).begin(), record.at(plural).end());
  return items;
}

inline const std::vector<std::string> k_lists = {"deployments", "statefulsets", "daemonsets",
                                                 "jobs",        "cronjobs",     "replicasets",
                                                 "pods",        "events"};

/// With nothing left to wait for: the record is how it was in the end.
inline environments::workloads::GateOptions impatient() {
  environments::workloads::GateOptions options;
  options.unschedulable = options.refused = options.configuration = options.evidence =
      options.settle = std::chrono::seconds(0);
  return options;
}

}  // namespace berth::tests
