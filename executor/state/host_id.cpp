#include "executor/state/host_id.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::state {
namespace {

constexpr std::size_t k_max_size = 4096;

bool is_id(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string read_id(const std::filesystem::path& file) {
  std::string id = support::read_file_if_exists(file, k_max_size).value_or("");
  if (id.ends_with('\n')) id.pop_back();
  return is_id(id) ? id : std::string();
}

void make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw support::OperatorError(fmt::format("cannot make Berth's state folder: '{}': {}",
                                             directory.native(), support::errno_text(errno)),
                                 "make it writable for the runner's user, or set state_dir");
  }
}

/// The first of several processes wins; all return its id.
std::string make_id(const std::filesystem::path& file) {
  const std::filesystem::path candidate = file.native() + "." + support::random_hex(6);
  try {
    support::write_file_atomically(candidate, support::random_hex(8) + "\n", 0644);
  } catch (const support::Error& error) {
    throw support::OperatorError(error.what(),
                                 "make it writable for the runner's user, or set state_dir");
  }
  if (::link(candidate.c_str(), file.c_str()) != 0 && read_id(file).empty()) {
    // Damaged (a full disk once), or a filesystem without hard links.
    ::rename(candidate.c_str(), file.c_str());
  }
  ::unlink(candidate.c_str());
  std::string id = read_id(file);
  if (id.empty()) {
    throw support::OperatorError(fmt::format("cannot keep an id: '{}'", file.native()),
                                 "make it writable for the runner's user, or set state_dir");
  }
  return id;
}

std::string identity(const std::string& id, const struct ::stat& parent) {
  return fmt::format("{}-{}:{}", id, parent.st_dev, parent.st_ino);
}

}  // namespace

std::string host_id(const std::filesystem::path& state_dir, const std::filesystem::path& tmpdir) {
  const std::filesystem::path file = state_dir / "host-id";
  std::string id = read_id(file);
  if (id.empty()) {
    make_directory(state_dir);
    id = make_id(file);
  }
  struct stat info {};
  if (tmpdir.empty() || ::stat((tmpdir / "..").c_str(), &info) != 0) info = {};
  return identity(id, info);
}

bool is_host_of(std::string_view host, const std::filesystem::path& state_dir,
                const std::filesystem::path& tmpdir) {
  const std::string id = read_id(state_dir / "host-id");
  if (id.empty() || !tmpdir.is_absolute() || !tmpdir.has_filename()) return false;
  struct stat info {};
  if (::stat(tmpdir.parent_path().c_str(), &info) != 0) return false;
  return identity(id, info) == host;
}

}  // namespace berth::state
