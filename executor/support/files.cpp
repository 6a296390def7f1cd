#include "executor/support/files.hpp"

#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/hex.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <vector>

namespace berth::support {
namespace {

[[noreturn]] void fail(std::string_view verb, std::string_view object, int error) {
  throw SystemError(fmt::format("cannot {}: '{}': {}", verb, object, errno_text(error)));
}

std::string read_open(const Fd& fd, const std::filesystem::path& path, std::size_t limit) {
  std::string content;
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && info.st_size > 0) {
    content.reserve(std::min(static_cast<std::size_t>(info.st_size), limit) + 1);
  }
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path.native(), errno);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      throw SystemError(
          fmt::format("cannot read: '{}': larger than {} bytes", path.native(), limit));
    }
  }
}

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

std::optional<std::string> read_file_if_exists(const std::filesystem::path& path,
                                               std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail("read", path.native(), errno);
  }
  return read_open(fd, path, limit);
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail("read", path.native(), errno);
  return read_open(fd, path, limit);
}

void write_all(int fd, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      fail("write", what, errno);
    }
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           mode_t mode) {
  const std::string temporary = path.native() + "." + random_hex(6) + ".tmp";
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) fail("write", path.native(), errno);
  try {
    // The mode asked for, whatever the umask.
    if (::fchmod(fd.get(), mode) != 0) fail("write", path.native(), errno);
    write_all(fd.get(), content, path.native());
    if (::close(fd.release()) != 0) fail("write", path.native(), errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail("write", path.native(), errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  std::size_t filled = 0;
  while (filled < bytes) {
    const ssize_t got = ::getrandom(raw.data() + filled, bytes - filled, 0);
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      fail("read", "random numbers of the kernel", errno);
    }
  }
  return hex(raw);
}

}  // namespace berth::support
