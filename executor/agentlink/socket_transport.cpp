#include "executor/agentlink/socket_transport.hpp"

#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace berth::agentlink {
namespace {

using support::Fd;

class SocketStream final : public Stream {
 public:
  explicit SocketStream(Fd socket) : m_socket(std::move(socket)) {}

  int fd() const override { return m_socket.get(); }

  Io read(std::span<char> into) override {
    // recv, not recvmsg: descriptors that a hostile peer passes are dropped.
    return result(::recv(m_socket.get(), into.data(), into.size(), MSG_DONTWAIT));
  }

  Io write(std::string_view bytes) override {
    return result(::send(m_socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

 private:
  static Io result(ssize_t moved) {
    if (moved > 0) return {Io::State::moved, static_cast<std::size_t>(moved), {}};
    if (moved == 0) return {Io::State::closed, 0, {}};
    if (errno == EAGAIN || errno == EINTR) return {Io::State::would_block, 0, {}};
    return {Io::State::closed, 0, support::errno_text(errno)};
  }

  Fd m_socket;
};

std::string_view type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    default:
      return "a device";
  }
}

/// Opens what stands at `name` itself, as O_PATH: nothing on the way is followed.
Fd open_beneath(const Fd& directory, const char* name, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, directory.get(), name, &how, sizeof how)));
}

class SocketTransport final : public Transport {
 public:
  SocketTransport(std::filesystem::path trusted, std::string below, std::string socket)
      : m_trusted(std::move(trusted)), m_below(std::move(below)), m_socket(std::move(socket)) {}

  std::unique_ptr<Stream> connect(std::chrono::steady_clock::time_point,
                                  std::stop_token stop) override {
    if (stop.stop_requested()) throw support::Cancelled();
    const Fd target = open_socket(open_directory());
    return connect_to(target);
  }

  std::string describe() const override {
    return "socket '" + (m_trusted / m_below / m_socket).string() + "'";
  }

 private:
  [[noreturn]] void fail(ConnectFailure kind, std::string_view why) const {
    throw ConnectError(kind, "cannot reach the agent: " + describe() + ": " + std::string(why));
  }

  Fd open_directory() const {
    const Fd trusted(::open(m_trusted.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!trusted) fail(ConnectFailure::absent, support::errno_text(errno));
    Fd directory = open_beneath(trusted, m_below.c_str(), O_DIRECTORY);
    if (directory) return directory;
    // A kernel before 5.6 or a seccomp filter lacks openat2: nothing else here
    // is safe, another way to the agent is.
    if (errno == ENOENT || errno == EACCES || errno == ENOSYS || errno == EPERM)
      fail(ConnectFailure::absent, support::errno_text(errno));
    if (errno == ELOOP || errno == ENOTDIR || errno == EXDEV)
      fail(ConnectFailure::hostile, "its directory is not a plain directory any more");
    fail(ConnectFailure::temporary, support::errno_text(errno));
  }

  Fd open_socket(const Fd& directory) const {
    Fd target = open_beneath(directory, m_socket.c_str(), 0);
    if (!target) {
      if (errno == ENOENT) fail(ConnectFailure::gone, support::errno_text(errno));
      if (errno == EACCES) fail(ConnectFailure::absent, support::errno_text(errno));
      if (errno == ELOOP || errno == EXDEV)
        fail(ConnectFailure::hostile, support::errno_text(errno));
      fail(ConnectFailure::temporary, support::errno_text(errno));
    }
    struct stat about {};
    if (::fstat(target.get(), &about) != 0)
      fail(ConnectFailure::temporary, support::errno_text(errno));
    if (!S_ISSOCK(about.st_mode))
      fail(ConnectFailure::hostile,
           std::string(type_name(about.st_mode)) + " stands where the agent's socket was");
    return target;
  }

  std::unique_ptr<Stream> connect_to(const Fd& target) const {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) fail(ConnectFailure::temporary, support::errno_text(errno));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(target.get());
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return std::make_unique<SocketStream>(std::move(socket));
    switch (errno) {
      case ECONNREFUSED:
        fail(ConnectFailure::gone, "nobody listens: the agent has ended");
      case EAGAIN:
      case EINTR:
        fail(ConnectFailure::temporary, "it takes no more connections just now");
      case EPROTOTYPE:
        fail(ConnectFailure::hostile, "a socket of another type stands there");
      default:  // no right to it (EACCES), no /proc (ENOENT): another way may work
        fail(ConnectFailure::absent, support::errno_text(errno));
    }
  }

  std::filesystem::path m_trusted;
  std::string m_below;
  std::string m_socket;
};

}  // namespace

std::unique_ptr<Transport> make_socket_transport(std::filesystem::path trusted,
                                                 const std::filesystem::path& below) {
  return std::make_unique<SocketTransport>(std::move(trusted), below.parent_path().string(),
                                           below.filename().string());
}

std::unique_ptr<Transport> make_socket_transport(const std::filesystem::path& socket_dir) {
  return std::make_unique<SocketTransport>(socket_dir.parent_path(), socket_dir.filename().string(),
                                           "agent.sock");
}

std::unique_ptr<Stream> make_socket_stream(Fd socket) {
  return std::make_unique<SocketStream>(std::move(socket));
}

Fd listen_at(const std::filesystem::path& socket) {
  const auto failed = [&] {
    return support::SystemError("cannot listen at '" + socket.string() +
                                "': " + support::errno_text(errno));
  };
  const Fd directory(::open(socket.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw failed();
  const std::string name = socket.filename().string();
  ::unlinkat(directory.get(), name.c_str(), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener || ::fchmod(listener.get(), 0600) != 0 ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0)
    throw failed();
  return listener;
}

}  // namespace berth::agentlink
