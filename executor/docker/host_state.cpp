#include "executor/docker/host_state.hpp"

#include "executor/core/overdue.hpp"
#include "executor/state/host_id.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::docker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_record_limit = std::size_t{64} << 10;
constexpr int k_most_slots = 1000;
constexpr std::chrono::milliseconds k_lock_step{5};

[[noreturn]] void cannot(std::string_view what, const fs::path& path, int error) {
  throw support::OperatorError(
      fmt::format("cannot {}: '{}': {}", what, path.string(), support::errno_text(error)),
      "set `state_dir` to a directory that the runner's user may write to");
}

/// mkdir with a mode the umask has no say in; an existing directory is left as
/// it is.
void make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) cannot("make directory", path, errno);
  } else if (errno != EEXIST) {
    cannot("make directory", path, errno);
  }
}

/// Who made a directory or holds a volume: four lines.
struct Owner {
  std::string attempt;
  std::string host;
  std::string tmpdir;
  std::int64_t deadline = 0;
};

std::string to_text(const Owner& owner) {
  return fmt::format("{}\n{}\n{}\n{}\n", owner.attempt, owner.deadline, owner.host, owner.tmpdir);
}

/// Nothing where there is no record, or none of ours.
std::optional<Owner> read_owner(const fs::path& path) {
  const auto text = support::read_file_if_exists(path, k_record_limit);
  if (!text) return std::nullopt;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text->size() && lines.size() < 3;) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    lines.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  if (lines.size() < 3) return std::nullopt;
  Owner owner{.attempt = lines[0], .host = lines[2], .tmpdir = {}, .deadline = 0};
  const std::size_t head = lines[0].size() + lines[1].size() + lines[2].size() + 3;
  // The path stands last: it may hold any byte.
  if (text->size() > head) owner.tmpdir = text->substr(head, text->size() - head - 1);
  std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), owner.deadline);
  return owner;
}

bool known_dead(const Owner& owner, std::string_view host, std::int64_t now) {
  if (owner.host != host) return now > owner.deadline;
  struct stat unused {};
  return ::lstat(owner.tmpdir.c_str(), &unused) != 0 && errno == ENOENT;
}

template <typename Use>
void each_record(const fs::path& folder, const Use& use) {
  std::error_code error;
  for (const auto& runs = folder / "run"; const auto& entry : fs::directory_iterator(runs, error)) {
    const auto owner = read_owner(entry.path() / "owner");
    if (owner && owner->attempt == entry.path().filename()) use(*owner, entry.path());
  }
  for (const auto& holds = folder / "holders";
       const auto& entry : fs::directory_iterator(holds, error)) {
    if (const auto owner = read_owner(entry.path())) use(*owner, entry.path());
  }
}

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

}  // namespace

HostState::HostState(fs::path folder) : m_folder(std::move(folder)) {
  std::error_code ignored;  // make_directory says what is wrong
  fs::create_directories(m_folder.parent_path(), ignored);
  make_directory(m_folder, 0700);
  make_directory(m_folder / "run", 0700);
  make_directory(m_folder / "holders", 0700);
  make_directory(m_folder / "used", 0700);
}

std::string HostState::identity(const fs::path& tmpdir) const {
  return state::host_id(m_folder, tmpdir);
}

support::Fd HostState::lock(std::string_view name, const std::stop_token& stop) const {
  const fs::path path = m_folder / (std::string(name) + ".lock");
  support::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) cannot("open", path, errno);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) cannot("lock", path, errno);
    if (!support::sleep_for(k_lock_step, stop)) throw support::Cancelled();
  }
  return file;
}

fs::path HostState::attempt_directory(std::string_view attempt) const {
  return m_folder / "run" / attempt;
}

fs::path HostState::make_attempt(const core::JobSpec& spec, std::string_view host) const {
  fs::path directory = attempt_directory(spec.attempt);
  make_directory(directory, 0700);
  support::write_file_atomically(directory / "owner", to_text({.attempt = spec.attempt,
                                                               .host = std::string(host),
                                                               .tmpdir = spec.tmpdir,
                                                               .deadline = spec.deadline}));
  for (const char* name : {"helper", "build", "lease"}) make_directory(directory / name, 0777);
  return directory;
}

std::string HostState::hold(const std::string& volume, const core::JobSpec& spec,
                            std::string_view host, std::int64_t now,
                            const std::stop_token& stop) const {
  const support::Fd guard = lock("holders", stop);
  for (int slot = 1; slot <= k_most_slots; ++slot) {
    std::string name = slot == 1 ? volume : fmt::format("{}-{}", volume, slot);
    const fs::path path = m_folder / "holders" / name;
    const auto owner = read_owner(path);
    if (owner && owner->attempt != spec.attempt && !known_dead(*owner, host, now)) continue;
    support::write_file_atomically(path, to_text({.attempt = spec.attempt,
                                                  .host = std::string(host),
                                                  .tmpdir = spec.tmpdir,
                                                  .deadline = spec.deadline}));
    return name;
  }
  throw support::OperatorError(
      fmt::format("no free volume: '{}': {} jobs hold one", volume, k_most_slots),
      fmt::format("look at '{}': records of jobs that no longer run may be removed",
                  (m_folder / "holders").string()));
}

std::vector<std::string> HostState::forget(std::string_view attempt) const {
  std::vector<std::string> failures;
  if (attempt.empty()) return failures;
  std::error_code error;
  // Under the lock: hold() may be giving a dead attempt's volume to another.
  const support::Fd guard = lock("holders", {});
  for (const auto& holds = m_folder / "holders";
       const auto& entry : fs::directory_iterator(holds, error)) {
    const auto owner = read_owner(entry.path());
    if (owner && owner->attempt == attempt) ::unlink(entry.path().c_str());
  }
  const fs::path directory = attempt_directory(attempt);
  fs::remove_all(directory, error);
  if (error) {
    failures.push_back(fmt::format("cannot remove: '{}': {}", directory.string(), error.message()));
  }
  return failures;
}

std::vector<std::string> HostState::dead_attempts(std::string_view host, std::int64_t now) const {
  std::vector<std::string> dead;
  each_record(m_folder, [&](const Owner& owner, const fs::path&) {
    if (known_dead(owner, host, now)) add_once(dead, owner.attempt);
  });
  return dead;
}

std::vector<std::string> HostState::dead_attempts(std::int64_t now) const {
  std::vector<std::string> dead;
  each_record(m_folder, [&](const Owner& owner, const fs::path&) {
    const bool over = is_over(owner.host, owner.tmpdir) || core::is_overdue(owner.deadline, now);
    if (over) add_once(dead, owner.attempt);
  });
  return dead;
}

bool HostState::is_over(const std::string& host, const std::string& tmpdir) const {
  struct stat unused {};
  return state::is_host_of(host, m_folder, tmpdir) && ::lstat(tmpdir.c_str(), &unused) != 0 &&
         errno == ENOENT;
}

void HostState::note_use(const std::string& volume) const {
  const fs::path path = m_folder / "used" / volume;
  const support::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file || ::futimens(file.get(), nullptr) != 0) cannot("write", path, errno);
}

std::optional<std::int64_t> HostState::last_use(const std::string& volume) const {
  struct stat info {};
  if (::stat((m_folder / "used" / volume).c_str(), &info) != 0) return std::nullopt;
  return info.st_mtim.tv_sec;
}

bool HostState::is_held(const std::string& volume, std::int64_t now) const {
  const auto owner = read_owner(m_folder / "holders" / volume);
  return owner && !is_over(owner->host, owner->tmpdir) && !core::is_overdue(owner->deadline, now);
}

void HostState::forget_use(const std::string& volume) const {
  ::unlink((m_folder / "used" / volume).c_str());
}

std::vector<std::string> HostState::attempts_of(std::string_view host,
                                                std::string_view tmpdir) const {
  std::vector<std::string> found;
  each_record(m_folder, [&](const Owner& owner, const fs::path&) {
    if (owner.host == host && owner.tmpdir == tmpdir) add_once(found, owner.attempt);
  });
  return found;
}

}  // namespace berth::docker
