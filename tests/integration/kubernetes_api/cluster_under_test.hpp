#pragma once

#include "executor/kubernetes/api/client.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace berth::tests {

/// The cluster that $KUBECONFIG names, and a namespace of this case alone. Where
/// none answers the case is left out (125), or fails when BERTH_REQUIRE has
/// "kubernetes".
class ClusterUnderTest {
 public:
  explicit ClusterUnderTest(nlohmann::json namespace_labels = nlohmann::json::object());
  /// Deletes the namespace, without waiting.
  ~ClusterUnderTest();
  ClusterUnderTest(const ClusterUnderTest&) = delete;
  ClusterUnderTest& operator=(const ClusterUnderTest&) = delete;

  kubernetes::Client& operator*() { return m_client; }
  kubernetes::Client* operator->() { return &m_client; }
  const std::string& name_space() const { return m_namespace; }
  std::vector<net::HttpCall>& calls() { return m_calls; }

  /// A pod of busybox with one container, "build", that runs `command`.
  nlohmann::json pod(const std::string& name, const std::vector<std::string>& command) const;
  /// Creates it; the object as made.
  nlohmann::json create(const nlohmann::json& pod);
  /// Creates it and watches until its container runs.
  nlohmann::json run(const nlohmann::json& pod);
  /// The same cluster as somebody who may do nothing.
  kubernetes::Connection as_nobody() const;

 private:
  std::vector<net::HttpCall> m_calls;
  kubernetes::Client m_client;
  std::string m_namespace;
};

inline std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

}  // namespace berth::tests
