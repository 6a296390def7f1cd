#include "agent/processes.hpp"

#include "agent/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <dirent.h>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace berth::agent {
namespace {

template <typename Integer>
bool parse(std::string_view text, Integer& number) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  return error == std::errc() && end == text.end();
}

bool read_stat(pid_t pid, Process& process) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  std::array<char, 1024> text{};
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  return got > 0 && parse_stat({text.data(), static_cast<std::size_t>(got)}, process);
}

std::vector<Process> list_processes() {
  std::vector<Process> processes;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) return processes;
  while (const dirent* entry = ::readdir(directory)) {
    pid_t pid = 0;
    Process process;
    if (parse(std::string_view(static_cast<const char*>(entry->d_name)), pid) &&
        read_stat(pid, process)) {
      processes.push_back(process);
    }
  }
  ::closedir(directory);
  return processes;
}

/// The process itself, even if its number has gone to another one meanwhile.
void signal_one(const Process& process, int number) {
  const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  const bool unknown_call = !handle && (errno == ENOSYS || errno == EPERM);
  Process now;
  if (!read_stat(process.pid, now) || now.started != process.started) return;
  if (handle) {
    ::syscall(SYS_pidfd_send_signal, handle.get(), number, nullptr, 0);
  } else if (unknown_call) {
    ::kill(process.pid, number);
  }
}

}  // namespace

bool parse_stat(std::string_view text, Process& process) {
  // pid (name) state ppid ...: the name may hold anything, also ')'.
  const std::size_t space = text.find(' ');
  const std::size_t close = text.rfind(')');
  if (space == std::string_view::npos || close == std::string_view::npos ||
      !parse(text.substr(0, space), process.pid)) {
    return false;
  }
  std::string_view rest = text.substr(close + 1);
  for (int field = 3; !rest.empty(); ++field) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (field == 4 && !parse(rest.substr(0, end), process.parent)) return false;
    if (field == 5 && !parse(rest.substr(0, end), process.group)) return false;
    if (field == 6 && !parse(rest.substr(0, end), process.session)) return false;
    if (field == 22) return parse(rest.substr(0, end), process.started);
    rest.remove_prefix(end);
  }
  return false;
}

std::vector<Process> descendants(pid_t root, const std::vector<Process>& all) {
  std::vector<Process> found;
  std::set<pid_t> family{root};
  for (bool grown = true; grown;) {
    grown = false;
    for (const Process& process : all) {
      if (process.pid == root || family.count(process.parent) == 0) continue;
      if (!family.insert(process.pid).second) continue;
      found.push_back(process);
      grown = true;
    }
  }
  return found;
}

void signal_all(int number) {
  if (::getpid() == 1) {
    // One atomic sweep over the namespace: a fork is finished before it and its
    // child included, or sees the signal and is not made.
    ::kill(-1, number);
    return;
  }
  // A bomb of forks may outrun us for a while; not for ever, in the agent's loop.
  constexpr int k_most_rounds = 100;
  const pid_t session = ::getsid(0);
  std::set<std::pair<pid_t, std::uint64_t>> known;
  for (int round = 0; round < k_most_rounds; ++round) {
    bool fresh = false;
    for (const Process& process : descendants(::getpid(), list_processes())) {
      if (!known.emplace(process.pid, process.started).second) continue;
      fresh = true;
      // A session that is not ours was made by a descendant, and a group never
      // reaches beyond its session: all its members are descendants.
      if (number == SIGKILL && process.group > 1 && process.session != session) {
        ::kill(-process.group, number);
      }
      signal_one(process, number);
    }
    if (!fresh) return;
  }
}

}  // namespace berth::agent
