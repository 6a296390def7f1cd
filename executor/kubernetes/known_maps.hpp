#pragma once

#include <filesystem>
#include <string>

namespace berth::kubernetes {

/// Which of the agent's ConfigMaps this machine has read whole: they are immutable, so
/// that one of the same uid still holds what it held. A file of uids for each name in
/// the state folder; what is forgotten or cannot be written only costs a longer answer.
class KnownMaps {
 public:
  /// How many uids a name keeps: namespaces and clusters that take turns.
  static constexpr std::size_t k_most = 64;

  explicit KnownMaps(const std::filesystem::path& state_dir) : m_folder(state_dir / "agent-maps") {}

  bool has(const std::string& name, const std::string& uid) const;
  void note(const std::string& name, const std::string& uid) const noexcept;

 private:
  std::filesystem::path m_folder;
};

}  // namespace berth::kubernetes
