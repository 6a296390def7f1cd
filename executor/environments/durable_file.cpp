#include "executor/environments/durable_file.hpp"

#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>

namespace berth::environments {
namespace {

[[noreturn]] void fail(std::string_view verb, const std::filesystem::path& file, int error) {
  throw support::SystemError(
      fmt::format("cannot {}: '{}': {}", verb, file.native(), support::errno_text(error)));
}

void sync(const support::Fd& fd, const std::filesystem::path& file) {
  if (::fsync(fd.get()) != 0) fail("sync", file, errno);
}

/// Whether what is there ends in the middle of a line.
bool is_torn(const support::Fd& fd, const std::filesystem::path& file) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("examine", file, errno);
  if (info.st_size == 0) return false;
  char last = 0;
  if (::pread(fd.get(), &last, 1, info.st_size - 1) != 1) fail("read", file, errno);
  return last != '\n';
}

}  // namespace

void sync_directory(const std::filesystem::path& directory) {
  const support::Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) fail("open", directory, errno);
  sync(fd, directory);
}

void write_durably(const std::filesystem::path& file, std::string_view content) {
  const std::filesystem::path temporary = file.native() + ".new";
  {
    const support::Fd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail("write", file, errno);
    support::write_all(fd.get(), content, file.native());
    sync(fd, file);
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) fail("write", file, errno);
  sync_directory(file.parent_path());
}

void append_durably(const std::filesystem::path& file, std::string_view line) {
  const support::Fd fd(
      ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) fail("write", file, errno);
  struct stat info {};
  const bool fresh = ::fstat(fd.get(), &info) == 0 && info.st_size == 0;
  std::string bytes = is_torn(fd, file) ? "\n" : "";
  bytes += line;
  bytes += '\n';
  support::write_all(fd.get(), bytes, file.native());
  sync(fd, file);
  if (fresh) sync_directory(file.parent_path());
}

}  // namespace berth::environments
