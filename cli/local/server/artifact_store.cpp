#include "cli/local/server/artifact_store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::local::server {

void ArtifactStore::add_job(std::int64_t id, const std::string& token) {
  const std::lock_guard lock(m_mutex);
  m_tokens[id] = token;
}

void ArtifactStore::drop(std::int64_t id) {
  const std::lock_guard lock(m_mutex);
  std::erase_if(m_files, [id](const auto& entry) { return entry.first.first == id; });
}

std::optional<std::string> ArtifactStore::token_of(std::int64_t id) const {
  const std::lock_guard lock(m_mutex);
  const auto found = m_tokens.find(id);
  if (found == m_tokens.end()) return std::nullopt;
  return found->second;
}

bool ArtifactStore::token_opens(std::int64_t id, std::string_view token) const {
  const std::lock_guard lock(m_mutex);
  const auto found = m_tokens.find(id);
  return found != m_tokens.end() && !token.empty() && found->second == token;
}

bool ArtifactStore::is_token(std::string_view token) const {
  const std::lock_guard lock(m_mutex);
  return !token.empty() && std::ranges::any_of(m_tokens, [token](const auto& entry) {
    return entry.second == token;
  });
}

std::filesystem::path ArtifactStore::begin_upload(std::int64_t id, const std::string& type) {
  const std::lock_guard lock(m_mutex);
  const auto directory = m_directory / std::to_string(id);
  std::filesystem::create_directories(directory);
  return directory / fmt::format("{}.{}.part", type, ++m_uploads);
}

void ArtifactStore::commit(std::int64_t id, const std::string& type, const std::string& name,
                           const std::filesystem::path& uploaded) {
  const std::lock_guard lock(m_mutex);
  const auto path = m_directory / std::to_string(id) / type;
  std::filesystem::rename(uploaded, path);
  m_files[{id, type}] = {.path = path, .name = name, .size = std::filesystem::file_size(path)};
}

std::optional<ArtifactStore::File> ArtifactStore::find(std::int64_t id,
                                                       const std::string& type) const {
  const std::lock_guard lock(m_mutex);
  const auto found = m_files.find({id, type});
  if (found == m_files.end()) return std::nullopt;
  return found->second;
}

}  // namespace berth::local::server
