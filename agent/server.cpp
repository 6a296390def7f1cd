#include "agent/server.hpp"

#include "agent/files.hpp"
#include "agent/processes.hpp"
#include "agent/protocol/exit_codes.hpp"
#include "agent/shells.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>

namespace berth::agent {
namespace {

/// Output frames wait in the connection up to this; the rest stays in the ring.
constexpr std::size_t k_ahead = 256u << 10;

Fd take_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP}) ::sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  // An entrypoint may have left it ignored, and then no child is ever told of.
  ::signal(SIGCHLD, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw std::runtime_error(std::string("signalfd: ") + std::strerror(errno));
  return fd;
}

std::string machine() {
  utsname name{};
  return ::uname(&name) == 0 ? static_cast<const char*>(name.machine) : "";
}

}  // namespace

Server::Server(const Options& options, Inherited inherited)
    : m_tick_length(options.tick),
      m_inherited(std::move(inherited)),
      m_watchdog(options, Clock::now()),
      m_signals(take_signals()),
      m_listener(options.run),
      m_next_tick(Clock::now() + options.tick) {
  if (::getrandom(m_nonce.data(), m_nonce.size(), 0) != static_cast<ssize_t>(m_nonce.size())) {
    throw std::runtime_error(std::string("getrandom: ") + std::strerror(errno));
  }
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    throw std::runtime_error(std::string("prctl: ") + std::strerror(errno));
  }
  for (const std::string& path : options.open) open_fresh_directory(path);
}

int Server::run() {
  while (!m_exit_code) wait();
  m_driver.reset();
  kill_all();
  return *m_exit_code;
}

void Server::wait() {
  // Places in the list; what is not there has descriptor -1, which poll passes over.
  enum : std::size_t { signals, listener, driver, stage, probes };
  m_polled.assign(probes, {-1, 0, 0});
  m_polled[signals] = {m_signals.get(), POLLIN, 0};
  m_polled[listener] = {m_listener.fd(), POLLIN, 0};
  if (m_driver) m_polled[driver] = {m_driver->fd(), m_driver->events(), 0};
  if (m_stage) m_polled[stage] = {m_stage->poll_fd(), POLLIN, 0};
  m_prober.collect(m_polled);
  const std::size_t first_stray = m_polled.size();
  for (const Fd& stray : m_strays) m_polled.push_back({stray.get(), POLLIN, 0});

  const Clock::time_point due = std::min(m_next_tick, m_prober.due().value_or(m_next_tick));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
  const int timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  if (::poll(m_polled.data(), m_polled.size(), timeout) < 0) {
    for (pollfd& polled : m_polled) polled.revents = 0;
  }

  for (const protocol::Probed& probed : m_prober.step(m_polled.data() + probes, Clock::now())) {
    if (m_driver) m_driver->send(probed);
  }
  const bool strays_speak = std::any_of(m_polled.begin() + static_cast<std::ptrdiff_t>(first_stray),
                                        m_polled.end(), [](const pollfd& p) { return p.revents; });
  if (strays_speak) drain_strays();
  if (m_polled[signals].revents != 0) handle_signals();
  if (m_polled[stage].revents != 0) m_stage->read_output();
  // What an older driver has said is heard before a newer one takes its place.
  if (m_polled[driver].revents != 0) m_driver->receive();
  if (m_driver) serve_driver();
  if (m_polled[listener].revents != 0) accept_driver();
  if (Clock::now() >= m_next_tick) tick();
  if (m_driver) serve_driver();
}

void Server::handle_signals() {
  signalfd_siginfo info{};
  while (::read(m_signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGCHLD) end(protocol::k_exit_done, nullptr);
  }
  reap();
}

bool Server::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (!m_stage || m_stage->ended() || pid != m_stage->pid()) continue;
    const std::uint64_t kills = m_memory_kills.count() - m_memory_kills_before;
    m_stage->end(status, static_cast<std::uint32_t>(kills));
  }
  return pid == 0;
}

void Server::kill_all() {
  constexpr auto k_limit = std::chrono::seconds(1);
  const Clock::time_point give_up = Clock::now() + k_limit;
  do {
    signal_all(SIGKILL);
    // A subreaper has a child as long as it has any descendant.
    pollfd ended{m_signals.get(), POLLIN, 0};
    ::poll(&ended, 1, 5);
    handle_signals();
  } while (reap() && Clock::now() < give_up);
}

void Server::drain_strays() {
  static std::array<char, 128u << 10> nowhere;
  std::erase_if(m_strays, [](const Fd& stray) {
    const ssize_t got = ::read(stray.get(), nowhere.data(), nowhere.size());
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  });
}

void Server::accept_driver() {
  Fd socket = m_listener.accept();
  if (!socket) return;
  drop_driver();
  m_driver.emplace(std::move(socket));
  m_driver->send(protocol::Hello{.version = protocol::k_version,
                                 .nonce = m_nonce,
                                 .uid = ::geteuid(),
                                 .gid = ::getegid(),
                                 .arch = machine(),
                                 .shells = existing_shells(shell_candidates())});
}

void Server::drop_driver() {
  m_driver.reset();
  m_attached = false;
  m_prober.clear();
}

void Server::serve_driver() {
  for (;;) {
    while (auto message = m_driver->next()) {
      m_watchdog.heard();
      dispatch(*message);
    }
    pump();
    if (m_driver->backlog() == 0) break;
    m_driver->flush();
    // What the socket did not take now it tells of itself; but once all is taken,
    // nothing but this loop looks for questions and output that were held back.
    if (m_driver->backlog() != 0 || m_driver->finished()) break;
  }
  if (m_driver->finished()) drop_driver();
}

void Server::tick() {
  m_next_tick = Clock::now() + m_tick_length;
  // A driver that leaves frames unread is not told that it is alive.
  if (m_driver && m_driver->backlog() == 0) m_driver->send(protocol::Ping{});
  switch (m_watchdog.tick(Clock::now(), std::time(nullptr))) {
    case Verdict::live:
      return;
    case Verdict::orphaned:
      end(protocol::k_exit_orphaned, "no driver has been seen for too long; the container ends");
      break;
    case Verdict::past_deadline:
      end(protocol::k_exit_deadline, "the job's deadline has passed; the container ends");
      break;
  }
  m_watchdog.overfill();
}

void Server::pump() {
  if (m_stage && m_stage->complete()) {
    if (Fd pipe = m_stage->take_pipe()) m_strays.push_back(std::move(pipe));
  }
  if (!m_attached) return;
  const OutputRing& ring = m_stage->ring();
  while (m_sent < ring.end() && m_driver->backlog() < k_ahead) {
    protocol::Output output{.offset = m_sent,
                            .bytes = std::string(ring.at(m_sent, protocol::k_max_output_chunk))};
    m_sent += output.bytes.size();
    m_driver->send(output);
  }
  if (m_stage->complete() && m_sent == ring.end() && !m_exit_sent) {
    m_exit_sent = true;
    m_driver->send(m_stage->exit());
  }
}

void Server::end(int code, const char* why) {
  m_exit_code = code;
  if (why != nullptr) std::fprintf(stderr, "berth-agent: %s\n", why);
}

}  // namespace berth::agent
