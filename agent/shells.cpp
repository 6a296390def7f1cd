#include "agent/shells.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::agent {

const std::vector<std::string>& shell_candidates() {
  static const std::vector<std::string> candidates{
      "/usr/local/bin/bash", "/usr/bin/bash", "/bin/bash",   "/usr/local/bin/sh",
      "/usr/bin/sh",         "/bin/sh",       "/busybox/sh",
  };
  return candidates;
}

std::vector<std::string> existing_shells(const std::vector<std::string>& candidates) {
  std::vector<std::string> found;
  for (const std::string& path : candidates) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) {
      found.push_back(path);
    }
  }
  return found;
}

}  // namespace berth::agent
