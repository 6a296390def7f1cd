#include "cli/local/workspace.hpp"

#include "cli/local/run_facts.hpp"
#include "cli/local/runner/attempt.hpp"
#include "cli/local/runner/cache_key.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace berth::local {
namespace {

constexpr std::size_t k_kept_runs = 10;
constexpr std::size_t k_max_number = 64;
constexpr std::size_t k_max_address = 256;
constexpr std::chrono::hours k_kept_for{24};
constexpr std::chrono::milliseconds k_not_locked_yet{100};

support::Fd locked(const std::filesystem::path& path, bool wait) {
  support::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) {
    throw support::SystemError(
        fmt::format("cannot open: \"{}\": {}", path.string(), support::errno_text(errno)));
  }
  if (::flock(fd.get(), LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) return {};
  return fd;
}

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string Workspace::address() const {
  return support::read_file_if_exists(m_project / "address", k_max_address).value_or("");
}

void Workspace::remember_address(const std::string& address) const {
  support::write_file_atomically(m_project / "address", address);
}

std::int64_t project_number(const std::filesystem::path& root) {
  const std::string digest = runner::hashed_cache_key(root.string()).substr(0, 7);
  std::int64_t number = 0;
  std::from_chars(digest.data(), digest.data() + digest.size(), number, 16);
  return number + 1;
}

Workspace::Workspace(const std::filesystem::path& base, std::int64_t project_id)
    : m_base(base), m_project(base / std::to_string(project_id)) {
  try {
    std::filesystem::create_directories(m_project / "runs");
    std::filesystem::create_directories(tmp());
    std::filesystem::permissions(m_base, std::filesystem::perms::owner_all);
    const auto counter = m_project / "next";
    const support::Fd lock = locked(m_project / "lock", true);
    m_pipeline_id = std::max<std::int64_t>(
        1, number_of(support::read_file_if_exists(counter, k_max_number).value_or("1")));
    support::write_file_atomically(counter, std::to_string(m_pipeline_id + 1));
    std::filesystem::create_directories(logs());
    std::filesystem::create_directories(artifacts());
    m_lock = locked(run() / "lock", true);
    remove_old_runs();
    remove_dead_attempts();
  } catch (const std::filesystem::filesystem_error& error) {
    throw support::SystemError(fmt::format("cannot make the folders of a run: {}", error.what()));
  }
}

void Workspace::remove_old_runs() const {
  std::vector<std::int64_t> numbers;
  for (const auto& entry : std::filesystem::directory_iterator(m_project / "runs")) {
    numbers.push_back(number_of(entry.path().filename().string()));
  }
  std::ranges::sort(numbers, std::greater<>());
  for (std::size_t i = k_kept_runs; i < numbers.size(); ++i) {
    const auto directory = m_project / "runs" / std::to_string(numbers[i]);
    // One that still runs holds its lock.
    std::error_code ignored;
    if (locked(directory / "lock", false)) std::filesystem::remove_all(directory, ignored);
  }
}

void Workspace::remove_dead_attempts() const {
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& entry : std::filesystem::directory_iterator(tmp())) {
    if (!entry.path().filename().string().starts_with(runner::k_tmpdir_prefix)) continue;
    const support::Fd directory(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code error;
    const auto marked = std::filesystem::last_write_time(entry.path() / runner::k_kept_mark, error);
    // A runner that has just made the directory locks it a moment later.
    const auto made = std::filesystem::last_write_time(entry.path(), error);
    const bool fresh = !error && now - made < k_not_locked_yet;
    const bool kept =
        std::filesystem::exists(entry.path() / runner::k_kept_mark) && now - marked < k_kept_for;
    if (!fresh && !kept) std::filesystem::remove_all(entry.path(), error);
  }
}

std::filesystem::path Workspace::latest(const std::string& job) const {
  return m_project / "latest" /
         fmt::format("{}-{}", slug(job), runner::hashed_cache_key(job).substr(0, 8));
}

void Workspace::remember(const std::string& job, const server::ArtifactStore& store,
                         std::int64_t job_id) const {
  const auto directory = latest(job);
  const support::Fd lock = locked(m_project / "lock", true);
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  for (const char* type : {"archive", "dotenv"}) {
    const auto file = store.find(job_id, type);
    if (!file) continue;
    std::filesystem::create_directories(directory);
    std::filesystem::create_hard_link(file->path, directory / type, ignored);
    if (ignored) std::filesystem::copy_file(file->path, directory / type);
    support::write_file_atomically(directory / (std::string(type) + ".name"), file->name);
  }
}

std::vector<Workspace::Kept> Workspace::recall(const std::string& job) const {
  std::vector<Kept> result;
  const auto directory = latest(job);
  for (const char* type : {"archive", "dotenv"}) {
    const auto name = support::read_file_if_exists(directory / (std::string(type) + ".name"), 4096);
    if (name) result.push_back({.type = type, .name = *name, .path = directory / type});
  }
  return result;
}

}  // namespace berth::local
