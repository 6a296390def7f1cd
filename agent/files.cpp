#include "agent/files.hpp"

#include "agent/fd.hpp"

#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/random.h>
#include <sys/stat.h>

namespace berth::agent {
namespace {

/// A path from a frame: absolute, and the one that the system calls will see.
bool is_usable(std::string_view path) {
  return path.size() > 1 && path[0] == '/' && path.back() != '/' &&
         path.find('\0') == std::string_view::npos;
}

std::string temporary_name() {
  std::array<unsigned char, 8> random{};
  (void)!::getrandom(random.data(), random.size(), 0);
  std::string name = ".berth-";
  for (const unsigned char byte : random) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 15];
  }
  return name;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_file(int fd, const protocol::Put& put) {
  // Owner before mode: a change of owner takes set-user-ID bits away.
  return write_all(fd, put.bytes) &&
         ((put.uid == protocol::k_keep_owner && put.gid == protocol::k_keep_owner) ||
          ::fchown(fd, put.uid, put.gid) == 0) &&
         ::fchmod(fd, put.mode & 07777) == 0;
}

/// What stands there already stays as it is.
int make_link(int directory, const protocol::Put& put, std::size_t name) {
  if (!is_usable(put.bytes)) return EINVAL;
  if (make_directories(put.bytes, 0700) != 0) return errno;
  return ::symlinkat(put.bytes.c_str(), directory, put.path.c_str() + name) == 0 ? 0 : errno;
}

/// Returns errno, 0 for success.
int put_at(const protocol::Put& put) {
  if (!is_usable(put.path)) return EINVAL;
  if (put.bytes.size() > protocol::k_max_file) return EFBIG;
  const std::size_t slash = put.path.rfind('/');
  const std::string parent = slash == 0 ? "/" : put.path.substr(0, slash);
  if (make_directories(parent, 0755) != 0) return errno;
  const Fd directory(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno;
  if (put.mode == protocol::k_link_mode) return make_link(directory.get(), put, slash + 1);
  const std::string temporary = temporary_name();
  const Fd file(::openat(directory.get(), temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno;
  if (write_file(file.get(), put) && ::renameat(directory.get(), temporary.c_str(), directory.get(),
                                                put.path.c_str() + slash + 1) == 0) {
    return 0;
  }
  const int error = errno;
  ::unlinkat(directory.get(), temporary.c_str(), 0);
  return error;
}

int get_at(const std::string& path, std::string& bytes) {
  if (!is_usable(path)) return EINVAL;
  // Looked at before it is opened: opening a device or a FIFO may do something.
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno;
  if (S_ISLNK(info.st_mode)) return ELOOP;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (!S_ISREG(info.st_mode)) return EINVAL;
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return errno;
  if (::fstat(file.get(), &info) != 0) return errno;
  if (!S_ISREG(info.st_mode)) return EINVAL;
  std::array<char, 16384> part{};
  for (;;) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    bytes.append(part.data(), static_cast<std::size_t>(got));
    if (bytes.size() > protocol::k_max_file) return EFBIG;
  }
}

bool is_empty(int directory) {
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = again < 0 ? nullptr : ::fdopendir(again);
  if (entries == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name(static_cast<const char*>(entry->d_name));
    if (name != "." && name != "..") empty = false;
  }
  ::closedir(entries);
  return empty;
}

}  // namespace

int make_directories(const std::string& path, mode_t mode) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      // A parent on a read-only file system, or above what we may search.
      struct stat info {};
      const int error = errno;
      if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        errno = error;
        return -1;
      }
    }
    if (at == std::string::npos) break;
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return -1;
  if (S_ISDIR(info.st_mode)) return 0;
  errno = ENOTDIR;
  return -1;
}

protocol::FileReply put_file(const protocol::Put& put) {
  return {.tag = put.tag, .error = static_cast<std::uint32_t>(put_at(put)), .bytes = {}};
}

protocol::FileReply get_file(const protocol::Get& get) {
  protocol::FileReply reply{.tag = get.tag, .error = 0, .bytes = {}};
  reply.error = static_cast<std::uint32_t>(get_at(get.path, reply.bytes));
  if (reply.error != 0) reply.bytes.clear();
  return reply;
}

void open_fresh_directory(const std::string& path) {
  if (::geteuid() != 0) return;
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!directory || ::fstat(directory.get(), &info) != 0) return;
  if (info.st_uid == 0 && (info.st_mode & 07777) == 0755 && is_empty(directory.get())) {
    ::fchmod(directory.get(), 0777);
  }
}

}  // namespace berth::agent
