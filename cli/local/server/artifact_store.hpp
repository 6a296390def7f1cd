#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local::server {

/// What the jobs of one pipeline uploaded, and whose token opens what. Files lie
/// below one directory, `<job id>/<type>`. Thread-safe.
class ArtifactStore {
 public:
  explicit ArtifactStore(std::filesystem::path directory) : m_directory(std::move(directory)) {}

  struct File {
    std::filesystem::path path;
    /// As the uploader called it ("artifacts.zip").
    std::string name;
    std::uintmax_t size = 0;
  };

  void add_job(std::int64_t id, const std::string& token);
  /// Forgets what the job uploaded: it is run again.
  void drop(std::int64_t id);
  std::optional<std::string> token_of(std::int64_t id) const;
  bool token_opens(std::int64_t id, std::string_view token) const;
  /// Any job's: reads the sources.
  bool is_token(std::string_view token) const;

  /// Where an upload goes while it arrives; commit() makes it known.
  std::filesystem::path begin_upload(std::int64_t id, const std::string& type);
  void commit(std::int64_t id, const std::string& type, const std::string& name,
              const std::filesystem::path& uploaded);
  std::optional<File> find(std::int64_t id, const std::string& type) const;

 private:
  std::filesystem::path m_directory;
  mutable std::mutex m_mutex;
  std::map<std::int64_t, std::string> m_tokens;
  std::map<std::pair<std::int64_t, std::string>, File> m_files;
  unsigned m_uploads = 0;
};

}  // namespace berth::local::server
