#pragma once

#include "executor/kubernetes/api/client.hpp"
#include "tests/support/http_server/http_server.hpp"
#include "tests/support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace berth::tests {

/// Pods of the namespace "ci", the one of pod_json("p", ...), and exec in it.
inline constexpr const char* k_pods_path = "/api/v1/namespaces/ci/pods";
inline constexpr const char* k_pod_path = "/api/v1/namespaces/ci/pods/p";
inline constexpr const char* k_exec_path = "/api/v1/namespaces/ci/pods/p/exec";

/// Later than anything that works takes.
inline std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

/// Quick to repeat, slow to give up.
inline kubernetes::ClientOptions quick_options() {
  kubernetes::ClientOptions options;
  options.patience = std::chrono::seconds(20);
  options.error_patience = std::chrono::milliseconds(200);
  options.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(4)};
  return options;
}

inline kubernetes::Connection connection_to(const HttpServer& server) {
  kubernetes::Connection connection;
  connection.base_url = server.url();
  connection.source = "the test";
  connection.credentials = kubernetes::make_fixed_credentials(
      {.token = support::Secret("token-1"), .certificate_pem = {}, .key_pem = {}});
  return connection;
}

/// A meta/v1 Status as API servers write it.
inline std::string status_json(int code, const std::string& reason, const std::string& message,
                               nlohmann::json details = nullptr) {
  nlohmann::json status = {
      {"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", nlohmann::json::object()},
      {"status", "Failure"}, {"message", message}, {"reason", reason},
      {"code", code}};
  if (!details.is_null()) status["details"] = std::move(details);
  return status.dump();
}

inline ServerReply refusal(int code, const std::string& reason, const std::string& message) {
  return {.status = code, .body = status_json(code, reason, message)};
}

inline nlohmann::json pod_json(const std::string& name, const std::string& version,
                               const std::string& uid = "u1") {
  return {{"kind", "Pod"},
          {"metadata",
           {{"name", name},
            {"namespace", "ci"},
            {"uid", uid},
            {"resourceVersion", version},
            {"labels", {{"berth.attempt", "abc"}}}}}};
}

/// An API server in this process, and a client of it.
struct Cluster {
  HttpServer server;
  std::vector<std::string> troubles{};
  kubernetes::Client client;

  Cluster() : Cluster(quick_options()) {}
  explicit Cluster(kubernetes::ClientOptions options)
      : client(connection_to(server), with_troubles(std::move(options))) {}

  template <typename Call>
  kubernetes::ApiError refused(Call call) {
    return thrown_by<kubernetes::ApiError>(call);
  }

 private:
  kubernetes::ClientOptions with_troubles(kubernetes::ClientOptions options) {
    options.on_trouble = [this](const std::string& words) { troubles.push_back(words); };
    return options;
  }
};

}  // namespace berth::tests
