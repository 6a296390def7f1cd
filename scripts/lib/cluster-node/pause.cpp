// The first process of every pod: holds the pod's namespaces until a signal ends it, and reaps what
// its neighbours leave behind where they share its PID namespace.
#include <csignal>
#include <initializer_list>
#include <sys/wait.h>

int main() {
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&awaited, signal);
  // A first process gets no signal that it neither handles nor waits for.
  sigprocmask(SIG_BLOCK, &awaited, nullptr);
  for (int signal = SIGCHLD; signal == SIGCHLD;) {
    if (sigwait(&awaited, &signal) != 0) return 1;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
  return 0;
}
