#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace berth::tests {

struct EngineCall;
struct EngineReply;

/// The networks of a fake engine, or its volumes: named things with labels that
/// nothing stands behind. Thread-safe.
class FakeObjects {
 public:
  enum class Kind { network, volume };

  explicit FakeObjects(Kind kind) : m_kind(kind) {}

  /// The calls under /networks or /volumes.
  EngineReply answer(const EngineCall& call);
  /// As a container that mounts it does; nothing where it exists.
  void add(const std::string& name, const nlohmann::json& labels);
  std::vector<std::string> names();

 private:
  EngineReply create(const EngineCall& call);
  EngineReply list(const EngineCall& call);
  nlohmann::json describe(const std::string& name, const nlohmann::json& object) const;

  const Kind m_kind;
  std::mutex m_mutex;
  std::map<std::string, nlohmann::json> m_all;
};

}  // namespace berth::tests
