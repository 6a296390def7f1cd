#include "agent/connect.hpp"

#include "agent/join.hpp"
#include "agent/listener.hpp"
#include "agent/protocol/exit_codes.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace berth::agent {

int connect(const std::string& run) {
  // SIGNAL TERM goes to all processes of the container, and we carry its driver.
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  const Fd socket = connect_to(run);
  if (!socket) {
    const int error = errno;
    std::fprintf(stderr, "berth-agent: cannot connect to '%s/agent.sock': %s\n", run.c_str(),
                 std::strerror(error));
    if (error == EAGAIN) return protocol::k_exit_try_again;
    return error == ENOENT || error == ECONNREFUSED ? protocol::k_exit_nobody
                                                    : protocol::k_exit_failed;
  }
  join(socket.get());
  return protocol::k_exit_done;
}

}  // namespace berth::agent
