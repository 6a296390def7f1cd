#include "executor/kubernetes/tunnel_program.hpp"

#include "executor/agentlink/tunnel_relay.hpp"
#include "executor/kubernetes/api/exec_transport.hpp"
#include "executor/kubernetes/connect.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/kubernetes/pod/overwrites.hpp"
#include "executor/support/console.hpp"
#include "executor/support/error.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace berth::kubernetes {
namespace {

using agentlink::TunnelRelay;
using support::Fd;

/// Its words would go nowhere.
class NoConsole final : public support::Console {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view) override {}
};

/// One agent's relay, in a thread of its own.
class Served {
 public:
  Served(Client& client, const TunnelPlan& plan, core::ContainerRole role, int listener,
         agentlink::LastUse& last_use, const std::function<void()>& ended)
      : m_exec(make_exec_transport(client, {.name_space = plan.name_space,
                                            .pod = plan.pod,
                                            .container = container_name(role),
                                            .argument = "tunnel"})),
        m_relay(*m_exec, Fd(listener), last_use, {.idle = plan.idle}),
        m_thread([this, ended](const std::stop_token& stop) {
          m_relay.run(stop);
          ended();
        }) {}

 private:
  std::unique_ptr<agentlink::Transport> m_exec;
  TunnelRelay m_relay;
  std::jthread m_thread;
};

/// False: prepare is gone without having said so.
bool read_keep(std::string& heard) {
  std::array<char, 64> bytes;
  const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  heard.append(bytes.data(), static_cast<std::size_t>(got));
  return got > 0 || heard == k_keep;
}

}  // namespace

void serve_tunnels(const BackendOptions& options, const TunnelPlan& plan) {
  const Fd end(k_tunnel_end_fd);
  const Fd all_ended(::eventfd(0, EFD_CLOEXEC));
  std::atomic<int> left{2};
  const auto ended = [&] {
    const std::uint64_t one = 1;
    if (--left == 0) [[maybe_unused]]
      const ssize_t written = ::write(all_ended.get(), &one, sizeof one);
  };
  NoConsole console;
  const JobSettings job = apply_overwrites(options.settings, options.overwrites);
  const auto client =
      connect(job.settings, agentlink::RelayLimits{}.answer, options.trace_file, console);
  agentlink::LastUse last_use(std::chrono::steady_clock::now());
  // Closed when all has ended: who ends us waits for that.
  Fd who_ends;
  {
    const Served helper(*client, plan, core::ContainerRole::helper, k_tunnel_helper_fd, last_use,
                        ended);
    const Served build(*client, plan, core::ContainerRole::build, k_tunnel_build_fd, last_use,
                       ended);
    std::string heard;
    for (;;) {
      const bool kept = heard == k_keep;
      std::array<pollfd, 3> fds{pollfd{kept ? -1 : STDIN_FILENO, POLLIN, 0},
                                pollfd{end.get(), POLLIN, 0}, pollfd{all_ended.get(), POLLIN, 0}};
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0 && !read_keep(heard)) return;
      if (fds[2].revents != 0) return;
      if (fds[1].revents == 0) continue;
      who_ends = Fd(::accept4(end.get(), nullptr, nullptr, SOCK_CLOEXEC));
      return;
    }
  }
}

}  // namespace berth::kubernetes
