#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace berth::tests {

/// The containers of a FakeEngine: their create requests and the host process
/// that stands for each. Thread-safe.
class FakeContainers {
 public:
  struct State {
    std::string id;
    std::string name;
    nlohmann::json config;
    bool started = false;
    bool running = false;
    int exit_code = 0;
    bool out_of_memory = false;
    std::string log;
  };

  /// root: where what stands for tmpfs and volumes is laid.
  FakeContainers(std::filesystem::path agent, std::filesystem::path root);
  ~FakeContainers();
  FakeContainers(const FakeContainers&) = delete;
  FakeContainers& operator=(const FakeContainers&) = delete;

  /// Nothing where the name is taken.
  std::optional<std::string> create(const std::string& name, nlohmann::json config);
  /// By id or name, as it is now.
  std::optional<State> find(const std::string& id_or_name);
  std::vector<State> all();
  /// True when it ran already. ends_with: the container ends at once so.
  bool start(const std::string& id, std::optional<int> ends_with, const std::string& log);
  void kill(const std::string& id, bool out_of_memory = false);
  void remove(const std::string& id);
  /// Host directory mounted at a path inside the container, or empty.
  std::filesystem::path mounted_at(const std::string& id, const std::string& target);

 private:
  struct Container {
    State state;
    int pid = -1;
    std::filesystem::path log_file;
  };

  Container* lookup(const std::string& id_or_name);
  void reap(Container& container);
  std::filesystem::path mount_source(const Container& container, const std::string& target);

  std::filesystem::path m_agent;
  std::filesystem::path m_root;
  std::mutex m_mutex;
  std::map<std::string, Container> m_all;
  unsigned m_count = 0;
};

}  // namespace berth::tests
