#include "cli/doctor/guard.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::cli {
namespace {

volatile ::sig_atomic_t g_child = 0;

extern "C" void hand_on(int signal) {
  if (g_child > 0) ::kill(g_child, signal);
}

void on_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
}

}  // namespace

int run_guarded(const std::function<int()>& work, const std::function<void()>& tidy) {
  const ::pid_t parent = ::getpid();
  // A signal between fork and handler would end one of the two alone.
  ::sigset_t both;
  ::sigset_t before;
  ::sigemptyset(&both);
  ::sigaddset(&both, SIGTERM);
  ::sigaddset(&both, SIGHUP);
  ::sigprocmask(SIG_BLOCK, &both, &before);
  std::fflush(stdout);
  const ::pid_t child = ::fork();
  if (child < 0) throw support::SystemError("cannot fork: " + support::errno_text(errno));
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // It may have been killed before that line.
    if (::getppid() != parent) ::raise(SIGTERM);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    const int code = work();
    std::fflush(stdout);
    ::_exit(code);
  }
  g_child = child;
  on_signals(hand_on);
  ::signal(SIGINT, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  on_signals(SIG_IGN);
  g_child = 0;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  tidy();
  return 1;
}

}  // namespace berth::cli
