#include "agent/memory_kills.hpp"

#include "agent/fd.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace berth::agent {
namespace {

std::string read_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> part{};
  ssize_t got = 0;
  while (fd && (got = ::read(fd.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

bool lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    if (cut(names, ',') == name) return true;
  }
  return false;
}

/// The path of our cgroup in the hierarchy: of v2 ("0::/path"), or of v1's memory
/// controller ("4:memory:/path").
std::string_view cgroup_path(std::string_view cgroup, bool v2) {
  while (!cgroup.empty()) {
    std::string_view line = cut(cgroup, '\n');
    const std::string_view number = cut(line, ':');
    const std::string_view controllers = cut(line, ':');
    if (v2 ? number == "0" && controllers.empty() : lists(controllers, "memory")) return line;
  }
  return {};
}

/// `path` as seen below a mount of the hierarchy's `root`.
std::string_view below(std::string_view path, std::string_view root) {
  if (root == "/") return path;
  if (!path.starts_with(root)) return {};
  path.remove_prefix(root.size());
  return path.empty() || path[0] == '/' ? path : std::string_view();
}

struct Mount {
  std::string_view root;
  std::string_view point;
  bool v2;
};

/// The mounts that count memory, of v1 first: on a hybrid machine v2 counts none.
std::vector<Mount> memory_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  while (!mountinfo.empty()) {
    std::string_view line = cut(mountinfo, '\n');
    for (int i = 0; i < 3; ++i) cut(line, ' ');
    Mount mount{.root = cut(line, ' '), .point = cut(line, ' '), .v2 = false};
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    line.remove_prefix(dash + 3);
    const std::string_view type = cut(line, ' ');
    cut(line, ' ');
    mount.v2 = type == "cgroup2";
    if (mount.v2) {
      mounts.push_back(mount);
    } else if (type == "cgroup" && lists(line, "memory")) {
      mounts.insert(mounts.begin(), mount);
    }
  }
  return mounts;
}

}  // namespace

std::vector<std::string> memory_kill_files(std::string_view cgroup, std::string_view mountinfo) {
  std::vector<std::string> files;
  for (const Mount& mount : memory_mounts(mountinfo)) {
    const std::string file = mount.v2 ? "/memory.events" : "/memory.oom_control";
    std::string_view path = below(cgroup_path(cgroup, mount.v2), mount.root);
    while (path.ends_with('/')) path.remove_suffix(1);
    // A path that leads out of the namespace says nothing here.
    if (!path.empty() && path.find("/..") == std::string_view::npos) {
      files.push_back(std::string(mount.point).append(path) + file);
    }
    files.push_back(std::string(mount.point) + file);
  }
  files.emplace_back("/sys/fs/cgroup/memory.events");
  files.emplace_back("/sys/fs/cgroup/memory/memory.oom_control");
  return files;
}

std::uint64_t parse_memory_kills(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (cut(line, ' ') != "oom_kill") continue;
    std::uint64_t count = 0;
    std::from_chars(line.begin(), line.end(), count);
    return count;
  }
  return 0;
}

MemoryKills::MemoryKills() {
  for (const std::string& file :
       memory_kill_files(read_file("/proc/self/cgroup"), read_file("/proc/self/mountinfo"))) {
    // Line "oom_kill", not the "oom_kill_disable" of every v1 kernel.
    if (("\n" + read_file(file)).find("\noom_kill ") != std::string::npos) {
      m_file = file;
      return;
    }
  }
}

std::uint64_t MemoryKills::count() const {
  return m_file.empty() ? 0 : parse_memory_kills(read_file(m_file));
}

}  // namespace berth::agent
