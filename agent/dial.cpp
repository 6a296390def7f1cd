#include "agent/dial.hpp"

#include "agent/fd.hpp"
#include "agent/join.hpp"
#include "agent/protocol/dial.hpp"
#include "agent/protocol/exit_codes.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::agent {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int k_interval_ms = 10;

/// 0 for what is no number from 1 to `most`.
std::uint32_t number(const char* text, std::uint32_t most) {
  std::uint32_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  return error == std::errc() && stop == end && value <= most ? value : 0;
}

socklen_t parse(const char* address, std::uint16_t port, sockaddr_storage& storage) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  if (::inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof *v6;
  }
  return 0;
}

int left_ms(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

/// One attempt; an empty descriptor with errno where it failed.
Fd connect_once(const sockaddr_storage& address, socklen_t length, Clock::time_point until) {
  Fd socket(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) {
    return socket;
  }
  if (errno != EINPROGRESS) {
    const int error = errno;
    socket.reset();
    errno = error;
    return {};
  }
  pollfd ready{socket.get(), POLLOUT, 0};
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;
  if (::poll(&ready, 1, left_ms(until)) == 1) {
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) return socket;
  socket.reset();
  errno = error;
  return {};
}

}  // namespace

int dial(const char* address, const char* port, const char* seconds) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  sockaddr_storage storage{};
  const std::uint32_t port_number = number(port, 65535);
  const std::uint32_t limit = number(seconds, 3600);
  const socklen_t length = parse(address, static_cast<std::uint16_t>(port_number), storage);
  if (port_number == 0 || limit == 0 || length == 0) {
    std::fprintf(stderr, "berth-agent: dial needs ADDRESS PORT SECONDS\n");
    return protocol::k_exit_usage;
  }
  const Clock::time_point until = Clock::now() + std::chrono::seconds(limit);
  for (;;) {
    const Fd socket = connect_once(storage, length, until);
    if (socket) {
      (void)!::write(STDOUT_FILENO, &protocol::k_dial_greeting, 1);
      join(socket.get());
      return protocol::k_exit_done;
    }
    const int error = errno;
    if (left_ms(until) == 0) {
      std::fprintf(stderr, "berth-agent: %s port %s: %s\n", address, port, std::strerror(error));
      return protocol::k_exit_nobody;
    }
    // Whoever asked may have gone meanwhile.
    pollfd asker{STDOUT_FILENO, 0, 0};
    if (::poll(&asker, 1, k_interval_ms) == 1) return protocol::k_exit_done;
  }
}

}  // namespace berth::agent
