#pragma once

#include "executor/docker/engine/engine.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace berth::tests {

/// Ends the program: 125 (skipped), or 1 when BERTH_REQUIRE has "docker".
[[noreturn]] void leave_out(const std::string& why);

/// The engine that DOCKER_HOST names, or the default one. Where none answers the
/// case is left out.
class EngineUnderTest {
 public:
  EngineUnderTest();
  /// Removes what the case made.
  ~EngineUnderTest();
  EngineUnderTest(const EngineUnderTest&) = delete;
  EngineUnderTest& operator=(const EngineUnderTest&) = delete;

  docker::Engine& operator*() { return m_engine; }
  docker::Engine* operator->() { return &m_engine; }

  /// A name of this case alone.
  std::string name(const std::string& suffix) const { return m_name + "-" + suffix; }
  const std::string& label() const { return m_label; }
  /// Body of a container of busybox with the case's label.
  nlohmann::json body(const std::vector<std::string>& command) const;
  /// Creates and starts one; its id.
  std::string run(const std::string& suffix, const std::vector<std::string>& command);

 private:
  docker::Engine m_engine;
  std::string m_name;
  std::string m_label;
};

inline std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

}  // namespace berth::tests
