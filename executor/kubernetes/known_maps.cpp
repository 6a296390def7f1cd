#include "executor/kubernetes/known_maps.hpp"

#include "executor/support/files.hpp"
#include "executor/support/log.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

namespace berth::kubernetes {
namespace {

constexpr std::size_t k_file_limit = 64 << 10;

std::vector<std::string> read_uids(const std::filesystem::path& path) {
  std::vector<std::string> uids;
  std::istringstream lines(support::read_file_if_exists(path, k_file_limit).value_or(""));
  for (std::string line; std::getline(lines, line);) uids.push_back(line);
  return uids;
}

/// The server's words become a line of a file.
bool is_uid(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) {
    return std::isxdigit(c) != 0 || c == '-';
  });
}

}  // namespace

bool KnownMaps::has(const std::string& name, const std::string& uid) const try {
  return is_uid(uid) && std::ranges::count(read_uids(m_folder / name), uid) > 0;
} catch (const std::exception&) {
  return false;
}

void KnownMaps::note(const std::string& name, const std::string& uid) const noexcept try {
  if (!is_uid(uid)) return;
  std::filesystem::create_directories(m_folder);
  std::vector<std::string> uids = read_uids(m_folder / name);
  std::erase(uids, uid);
  uids.push_back(uid);
  if (uids.size() > k_most) uids.erase(uids.begin(), uids.end() - k_most);
  std::string text;
  for (const std::string& one : uids) text += one + "\n";
  support::write_file_atomically(m_folder / name, text, 0600);
} catch (const std::exception& error) {
  support::log(support::LogLevel::info, error.what());
}

}  // namespace berth::kubernetes
