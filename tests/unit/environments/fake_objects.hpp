#pragma once

#include "executor/kubernetes/api/client.hpp"
#include "tests/support/http_server/http_server.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace berth::tests {

/// An API server that keeps Leases and Secrets of the namespace "ledger": create, get,
/// list by labels, merge patch in a version, delete.
class FakeObjects {
 public:
  FakeObjects();

  std::unique_ptr<kubernetes::Client> client() const;
  /// All that is there, by path.
  std::map<std::string, nlohmann::json> all() const;
  /// Called before each patch is carried out, outside of any lock.
  std::function<void()> before_patch{};

 private:
  ServerReply answer(const ServerRequest& request);
  ServerReply create(const std::string& path, nlohmann::json object);
  ServerReply patch(const std::string& path, const nlohmann::json& change);
  ServerReply list(const std::string& path, const std::string& query) const;

  mutable std::mutex m_mutex;
  std::map<std::string, nlohmann::json> m_objects;
  int m_version = 0;
  HttpServer m_server;
};

}  // namespace berth::tests
