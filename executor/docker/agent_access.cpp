#include "executor/docker/agent_access.hpp"

#include "executor/agentlink/socket_transport.hpp"
#include "executor/docker/engine/exec_transport.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace berth::docker {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How often the engine is asked whether the container still runs.
constexpr milliseconds k_slice{200};
constexpr milliseconds k_notice_after{10'000};
constexpr milliseconds k_stop_check{20};

/// Waits until something named agent.sock stands in the directory: the job owns
/// it, so this only looks, and the transport checks what it is.
void await_socket(const std::filesystem::path& directory, Clock::time_point until,
                  const std::stop_token& stop) {
  const support::Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch) ::inotify_add_watch(watch.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO);
  const std::filesystem::path socket = directory / "agent.sock";
  for (;;) {
    struct stat unused {};
    if (::lstat(socket.c_str(), &unused) == 0) return;
    if (stop.stop_requested()) throw support::Cancelled();
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    if (left.count() <= 0) return;
    pollfd ready{.fd = watch.get(), .events = POLLIN, .revents = 0};
    ::poll(&ready, watch ? 1 : 0, static_cast<int>(std::min(left, k_stop_check).count()));
    char events[4096];
    while (watch && ::read(watch.get(), events, sizeof events) > 0) {
    }
  }
}

}  // namespace

std::unique_ptr<agentlink::Transport> make_transport(Engine& engine,
                                                     const AgentContainer& container) {
  if (!container.socket_dir.empty()) return agentlink::make_socket_transport(container.socket_dir);
  return make_exec_transport(engine, container.id);
}

void start_agent_container(Engine& engine, const AgentContainer& container, std::stop_token stop) {
  try {
    engine.start_container(container.id, stop);
  } catch (const EngineError& error) {
    if (!sandbox::is_about_the_image(error.engine_text())) throw;
    sandbox::throw_ended_early(container.named(), "could not be started: " + error.engine_text(),
                               {});
  }
}

core::ExitStatus outcome_of_end(const AgentContainer& container, const ContainerEnd& end,
                                bool script_started, core::Console& console) {
  const std::string what =
      fmt::format("{} {}", sandbox::called(container.named()), sandbox::explain(end));
  if (end.oom_killed && script_started) {
    console.warning(what + "; raise `memory` or let the job use less");
    return {.how = core::Signalled{.number = SIGKILL}, .oom_kills = 1};
  }
  throw support::SystemError(
      what + (script_started ? " while its script ran" : " before its script started") +
      sandbox::quote_log(end.log));
}

agentlink::AgentClient await_agent(Engine& engine, const AgentContainer& container,
                                   agentlink::Transport& transport, milliseconds limit,
                                   core::Console& console, std::stop_token stop) {
  const Clock::time_point start = Clock::now();
  bool told = false;
  for (;;) {
    const Clock::time_point slice = std::min(Clock::now() + k_slice, start + limit);
    std::string why;
    bool absent = false;
    try {
      if (!container.socket_dir.empty()) await_socket(container.socket_dir, slice, stop);
      return agentlink::AgentClient::connect(transport, std::max(slice, Clock::now() + k_slice),
                                             stop);
    } catch (const agentlink::ConnectError& error) {
      if (error.kind() == agentlink::ConnectFailure::hostile) {
        throw support::SystemError(error.what());
      }
      absent = error.kind() == agentlink::ConnectFailure::absent;
      if (absent && !container.socket_dir.empty()) throw;
      why = error.what();
    }
    if (const auto end = find_end(engine, container.id, stop)) {
      sandbox::throw_ended_early(container.named(), sandbox::explain(*end),
                                 sandbox::quote_log(end->log));
    }
    if (absent) {
      throw support::SystemError(fmt::format("{} has no agent that can be started: {}",
                                             sandbox::called(container.named()), why));
    }
    const auto waited = Clock::now() - start;
    if (waited >= limit) {
      throw support::SystemError(
          fmt::format("{} did not answer within {} s: {}{}", sandbox::called(container.named()),
                      std::chrono::duration_cast<std::chrono::seconds>(limit).count(), why,
                      sandbox::quote_log(log_tail(engine, container.id, stop))),
          "the image's entrypoint must run the command it is given");
    }
    if (!told && waited >= k_notice_after) {
      told = true;
      console.line(fmt::format("waiting for the entrypoint of image '{}'", container.image));
    }
  }
}

}  // namespace berth::docker
