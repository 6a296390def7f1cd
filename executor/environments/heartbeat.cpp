#include "executor/environments/heartbeat.hpp"

#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "executor/support/log.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

namespace berth::environments {
namespace {

[[noreturn]] void fail(std::string_view verb, const std::filesystem::path& file, int error) {
  throw support::SystemError(
      fmt::format("cannot {}: '{}': {}", verb, file.native(), support::errno_text(error)));
}

/// The file, locked; nothing where it is gone.
support::Fd open_locked(const std::filesystem::path& file) {
  support::Fd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return fd;
    fail("open", file, errno);
  }
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fail("lock", file, errno);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("examine", file, errno);
  // Removed while we waited for its lock.
  if (info.st_nlink == 0) fd.reset();
  return fd;
}

void set_time(const support::Fd& fd, const std::filesystem::path& file, std::int64_t now) {
  const std::array<timespec, 2> times{
      {{.tv_sec = now, .tv_nsec = 0}, {.tv_sec = now, .tv_nsec = 0}}};
  if (::futimens(fd.get(), times.data()) != 0) fail("touch", file, errno);
}

}  // namespace

void make_heartbeat(const std::filesystem::path& file, std::int64_t now) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  const support::Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) fail("make", file, errno);
  set_time(fd, file, now);
}

bool touch_heartbeat(const std::filesystem::path& file, std::int64_t now) {
  const support::Fd fd = open_locked(file);
  if (!fd) return false;
  set_time(fd, file, now);
  return true;
}

bool end_heartbeat_if_silent(const std::filesystem::path& file, std::chrono::seconds silence,
                             std::int64_t now) {
  const support::Fd fd = open_locked(file);
  if (!fd) return true;
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("examine", file, errno);
  if (info.st_mtim.tv_sec + silence.count() >= now) return false;
  end_heartbeat(file);
  return true;
}

bool is_heartbeat_silent(const std::filesystem::path& file, std::chrono::seconds silence,
                         std::int64_t now) {
  struct stat info {};
  if (::lstat(file.c_str(), &info) == 0) return info.st_mtim.tv_sec + silence.count() < now;
  if (errno == ENOENT || errno == ENOTDIR) return true;
  fail("examine", file, errno);
}

void end_heartbeat(const std::filesystem::path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
    fail("remove", file, errno);
  }
}

void end_old_heartbeats(const std::filesystem::path& directory, std::chrono::seconds silence,
                        std::int64_t now) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    try {
      end_heartbeat_if_silent(entry.path(), silence, now);
    } catch (const support::Error& trouble) {
      support::log(support::LogLevel::warn, trouble.what());
    }
  }
}

std::chrono::milliseconds heartbeat_interval(std::chrono::seconds silence) {
  using std::chrono::milliseconds;
  return std::clamp<milliseconds>(milliseconds(silence) / 5, milliseconds(100),
                                  std::chrono::seconds(10));
}

class Heartbeat::Impl {
 public:
  Impl(std::filesystem::path file, std::stop_token stop, std::chrono::milliseconds interval)
      : m_file(std::move(file)), m_pass_on(std::move(stop), [this] { m_source.request_stop(); }) {
    beat();
    m_thread = std::jthread([this, interval](const std::stop_token& end) {
      while (!m_lost && support::sleep_for(interval, end)) beat();
    });
  }

  std::stop_token token() const noexcept { return m_source.get_token(); }
  bool lost() const noexcept { return m_lost; }

 private:
  void beat() noexcept {
    try {
      if (touch_heartbeat(m_file, support::unix_seconds())) return;
      m_lost = true;
      m_source.request_stop();
    } catch (const std::exception& error) {
      // Tried again at the next beat; the lock bears some silence.
      support::log(support::LogLevel::warn, error.what());
    }
  }

  std::filesystem::path m_file;
  std::stop_source m_source;
  std::atomic<bool> m_lost{false};
  std::stop_callback<std::function<void()>> m_pass_on;
  /// Last: ended before what it uses.
  std::jthread m_thread;
};

Heartbeat::Heartbeat(std::filesystem::path file, std::stop_token stop,
                     std::chrono::milliseconds interval)
    : m_impl(std::make_unique<Impl>(std::move(file), std::move(stop), interval)) {}

Heartbeat::~Heartbeat() = default;

std::stop_token Heartbeat::token() const noexcept {
  return m_impl->token();
}

bool Heartbeat::lost() const noexcept {
  return m_impl->lost();
}

}  // namespace berth::environments
