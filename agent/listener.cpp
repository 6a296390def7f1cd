#include "agent/listener.hpp"

#include "agent/files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace berth::agent {
namespace {

constexpr const char* k_name = "agent.sock";
/// Under this name the socket stands until it listens.
constexpr const char* k_early_name = ".agent.sock.new";

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::runtime_error("cannot " + what + " '" + path + "': " + std::strerror(errno));
}

/// The address of `name` in the directory: by descriptor where the path is too
/// long for an address.
sockaddr_un address_of(const std::string& run, int directory, const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = run + "/" + name;
  if (path.size() >= sizeof address.sun_path) {
    path = "/proc/self/fd/" + std::to_string(directory) + "/" + name;
  }
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Listener::Listener(const std::string& run) {
  if (make_directories(run, 0755) != 0) fail("make directory", run);
  m_directory = Fd(::open(run.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!m_directory) fail("open directory", run);
  if (::flock(m_directory.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw std::runtime_error("another agent serves in '" + run + "'");
  }
  m_socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!m_socket) fail("make a socket for", run);
  ::unlinkat(m_directory.get(), k_early_name, 0);
  const sockaddr_un address = address_of(run, m_directory.get(), k_early_name);
  const mode_t before = ::umask(0111);
  const bool bound = ::bind(m_socket.get(), generic(address), sizeof address) == 0;
  const int error = errno;
  ::umask(before);
  errno = error;
  if (!bound) fail("make the agent's socket in", run);
  // Under its own name it listens from the first moment on.
  if (::listen(m_socket.get(), 16) != 0 ||
      ::renameat(m_directory.get(), k_early_name, m_directory.get(), k_name) != 0) {
    fail("listen in", run);
  }
}

Fd Listener::accept() const {
  return Fd(::accept4(m_socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

Fd connect_to(const std::string& run) {
  const Fd directory(::open(run.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return {};
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  const sockaddr_un address = address_of(run, directory.get(), k_name);
  if (::connect(socket.get(), generic(address), sizeof address) != 0) {
    const int error = errno;
    socket.reset();
    errno = error;
  }
  return socket;
}

}  // namespace berth::agent
