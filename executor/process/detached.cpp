#include "executor/process/detached.hpp"

#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace berth::process {
namespace {

/// Above every number that the child will have.
constexpr int k_out_of_the_way = 64;

class Plan {
 public:
  Plan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~Plan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

void start_detached(const std::vector<std::string>& argv, std::span<const int> descriptors) {
  const auto failed = [&argv](int error) {
    return support::SystemError("cannot start program: '" + argv.front() +
                                "': " + support::errno_text(error));
  };
  Plan plan;
  std::vector<support::Fd> copies;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    copies.emplace_back(::fcntl(descriptors[i], F_DUPFD_CLOEXEC, k_out_of_the_way));
    if (!copies.back()) throw failed(errno);
    ::posix_spawn_file_actions_adddup2(&plan.actions, copies.back().get(),
                                       i == 0 ? STDIN_FILENO : static_cast<int>(i) + 2);
  }
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&plan.actions, fd, "/dev/null", O_RDWR, 0);
  }
  // Whoever started us may have left more open than we know.
  ::posix_spawn_file_actions_addclosefrom_np(
      &plan.actions, std::max(STDERR_FILENO + 1, static_cast<int>(descriptors.size()) + 2));
  sigset_t none;
  ::sigemptyset(&none);
  sigset_t all;
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  ::posix_spawnattr_setflags(&plan.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = argv;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, words.front().c_str(), &plan.actions, &plan.attributes,
                                  arguments.data(), ::environ);
  if (error != 0) throw failed(error);
}

}  // namespace berth::process
