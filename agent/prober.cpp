#include "agent/prober.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <string_view>

namespace berth::agent {
namespace {

using namespace std::chrono_literals;

/// One attempt to connect: a packet that is not answered is lost sooner.
constexpr auto k_connect_limit = 1s;
/// One attempt over HTTP: a service that is starting may think for a while.
constexpr auto k_reply_limit = 5s;
/// Longest status line that is read.
constexpr std::size_t k_most_reply = 4096;
constexpr auto k_least_interval = 5ms;

socklen_t parse_address(const std::string& text, std::uint16_t port, sockaddr_storage& storage) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (text.find('\0') != std::string::npos) return 0;
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof *v6;
  }
  return 0;
}

std::string make_request(const protocol::ProbeTarget& target) {
  const bool v6 = target.address.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + target.address + "]" : target.address;
  const std::string path = target.http_path.empty() ? "/" : target.http_path;
  return "GET " + path + " HTTP/1.0\r\nHost: " + host + ":" + std::to_string(target.port) +
         "\r\nConnection: close\r\n\r\n";
}

bool is_request_path(std::string_view path) {
  return path.empty() || (path[0] == '/' && std::none_of(path.begin(), path.end(), [](char c) {
                            return c <= ' ' || c == '\x7f';
                          }));
}

/// "HTTP/1.1 200 ...": any status will do.
bool is_status_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos) return false;
  const std::string_view code = line.substr(space + 1, 3);
  return code.size() == 3 &&
         std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A connection to a port of our own range that nobody listens on can come to be
/// with itself.
bool is_to_itself(int fd) {
  std::array<sockaddr_storage, 2> ends{};
  std::array<socklen_t, 2> lengths{sizeof ends[0], sizeof ends[1]};
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&ends[0]), &lengths[0]) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&ends[1]), &lengths[1]) == 0 &&
         lengths[0] == lengths[1] && std::memcmp(&ends[0], &ends[1], lengths[0]) == 0;
}

}  // namespace

Prober::Target Prober::make_target(const protocol::Probe& probe, std::uint32_t index,
                                   TimePoint now) {
  const protocol::ProbeTarget& asked = probe.targets[index];
  Target target;
  target.tag = probe.tag;
  target.index = index;
  target.interval = std::max(std::chrono::milliseconds(probe.interval_ms),
                             std::chrono::milliseconds(k_least_interval));
  target.deadline = now + std::chrono::milliseconds(probe.deadline_ms);
  target.next = now;
  target.length = parse_address(asked.address, asked.port, target.address);
  if (target.length == 0) {
    target.error = "not an IPv4 or IPv6 address";
    decide(target, false);
  } else if (asked.kind == protocol::ProbeKind::http) {
    target.request = make_request(asked);
    if (!is_request_path(asked.http_path)) {
      target.error = "not a path of HTTP";
      decide(target, false);
    }
  }
  return target;
}

void Prober::add(const protocol::Probe& probe, TimePoint now) {
  std::erase_if(m_targets, [&](const Target& target) { return target.tag == probe.tag; });
  for (std::uint32_t index = 0; index < probe.targets.size(); ++index) {
    m_targets.push_back(make_target(probe, index, now));
  }
}

void Prober::collect(std::vector<pollfd>& fds) const {
  for (const Target& target : m_targets) {
    const short events = target.state == Target::State::connecting ? POLLOUT : POLLIN;
    fds.push_back({target.socket.get(), events, 0});
  }
}

std::vector<protocol::Probed> Prober::step(const pollfd* fds, TimePoint now) {
  std::vector<protocol::Probed> decided;
  for (Target& target : m_targets) {
    step_target(target, fds->revents, now);
    ++fds;
    if (target.state == Target::State::decided) {
      decided.push_back({.tag = target.tag,
                         .index = target.index,
                         .answered = target.answered,
                         .text = target.error});
    }
  }
  std::erase_if(m_targets,
                [](const Target& target) { return target.state == Target::State::decided; });
  return decided;
}

std::optional<Prober::TimePoint> Prober::due() const {
  std::optional<TimePoint> due;
  for (const Target& target : m_targets) {
    TimePoint at = target.state == Target::State::waiting ? target.next : target.give_up;
    at = std::min(at, target.deadline);
    if (!due || at < *due) due = at;
  }
  return due;
}

void Prober::step_target(Target& target, short events, TimePoint now) {
  using State = Target::State;
  if (target.state == State::connecting && events != 0) connected(target, now);
  if (target.state == State::asked && events != 0) read_reply(target, now);
  if (target.state == State::decided) return;
  // At least one attempt is made, however near the deadline.
  if (target.state == State::waiting && now >= target.next) attempt(target, now);
  if (target.state == State::decided) return;
  if (now >= target.deadline) {
    if (target.error.empty()) target.error = std::strerror(ETIMEDOUT);
    decide(target, false);
  } else if (target.state != State::waiting && now >= target.give_up) {
    retry(target, std::strerror(ETIMEDOUT), now);
  }
}

void Prober::attempt(Target& target, TimePoint now) {
  target.reply.clear();
  target.give_up = now + k_connect_limit;
  target.socket =
      Fd(::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!target.socket) return retry(target, std::strerror(errno), now);
  if (::connect(target.socket.get(), reinterpret_cast<const sockaddr*>(&target.address),
                target.length) == 0) {
    return connected(target, now);
  }
  if (errno != EINPROGRESS) return retry(target, std::strerror(errno), now);
  target.state = Target::State::connecting;
}

void Prober::connected(Target& target, TimePoint now) {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(target.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0 && is_to_itself(target.socket.get())) error = ECONNREFUSED;
  if (error != 0) return retry(target, std::strerror(error), now);
  if (target.request.empty()) return decide(target, true);
  // A request is shorter than any socket's buffer.
  const ssize_t sent =
      ::send(target.socket.get(), target.request.data(), target.request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(target.request.size())) {
    return retry(target, std::strerror(sent < 0 ? errno : EMSGSIZE), now);
  }
  target.state = Target::State::asked;
  target.give_up = now + k_reply_limit;
}

void Prober::read_reply(Target& target, TimePoint now) {
  std::array<char, 1024> part{};
  const ssize_t got = ::recv(target.socket.get(), part.data(), part.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return retry(target, std::strerror(errno), now);
  target.reply.append(part.data(), static_cast<std::size_t>(got));
  const std::size_t end = target.reply.find('\n');
  if (end != std::string::npos && is_status_line(std::string_view(target.reply).substr(0, end))) {
    return decide(target, true);
  }
  if (got == 0 || end != std::string::npos || target.reply.size() > k_most_reply) {
    retry(target, "no HTTP status line came", now);
  }
}

void Prober::decide(Target& target, bool answered) {
  target.state = Target::State::decided;
  target.answered = answered;
  if (answered) target.error.clear();
  target.socket.reset();
}

void Prober::retry(Target& target, const std::string& error, TimePoint now) {
  target.state = Target::State::waiting;
  target.socket.reset();
  target.error = error;
  target.next = now + target.interval;
}

}  // namespace berth::agent
