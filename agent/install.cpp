#include "agent/install.hpp"

#include "agent/fd.hpp"
#include "agent/protocol/exit_codes.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::agent {
namespace {

/// The whole of one file to the end of another; -1 with errno.
int copy(int from, int to) {
  constexpr std::size_t k_piece = 1 << 20;
  while (true) {
    const ssize_t sent = ::sendfile(to, from, nullptr, k_piece);
    if (sent == 0) return 0;
    if (sent < 0 && errno != EINTR) return -1;
  }
}

}  // namespace

int install(const std::string& directory) {
  const std::string path = directory + "/berth-agent";
  const std::string fresh = path + ".new";
  const auto fail = [&](const char* what, const std::string& object) {
    std::fprintf(stderr, "berth-agent: %s '%s': %s\n", what, object.c_str(), std::strerror(errno));
    ::unlink(fresh.c_str());
    return protocol::k_exit_failed;
  };
  const Fd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!self) return fail("cannot read", "/proc/self/exe");
  // Of an earlier try of this container.
  ::unlink(fresh.c_str());
  const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555));
  if (!file) return fail("cannot make", fresh);
  if (copy(self.get(), file.get()) != 0 || ::fchmod(file.get(), 0555) != 0) {
    return fail("cannot write", fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail("cannot make", path);
  return protocol::k_exit_done;
}

}  // namespace berth::agent
