// PROBE: which addresses answer.

#include "tests/unit/agent/agent_test.hpp"

#include <arpa/inet.h>
#include <array>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <sched.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>

using namespace berth;
using namespace berth::tests;
using protocol::ProbeKind;
using protocol::ProbeTarget;

namespace {

/// A TCP port of this machine, bound; it answers once listen() was called.
class Port {
 public:
  explicit Port(int family = AF_INET) : m_fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    auto* address =
        family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;
    if (::bind(m_fd, address, length) != 0 || ::getsockname(m_fd, address, &length) != 0) return;
    m_number = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { ::close(m_fd); }

  std::uint16_t number() const { return m_number; }
  void listen() const { REQUIRE(::listen(m_fd, 16) == 0); }
  /// Answers one connection: reads to the end of the request, writes, closes.
  std::string answer_once(std::string_view reply) const {
    const int peer = ::accept(m_fd, nullptr, nullptr);
    std::string request;
    std::array<char, 1024> part{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(peer, part.data(), part.size(), 0);
      if (got <= 0) break;
      request.append(part.data(), static_cast<std::size_t>(got));
    }
    (void)!::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
    ::close(peer);
    return request;
  }

 private:
  int m_fd;
  std::uint16_t m_number = 0;
};

protocol::Probe probe_of(std::vector<ProbeTarget> targets, std::uint32_t deadline_ms = 30000,
                         std::uint32_t tag = 1) {
  return {.tag = tag, .deadline_ms = deadline_ms, .interval_ms = 5, .targets = std::move(targets)};
}

ProbeTarget tcp(std::uint16_t port, const std::string& address = "127.0.0.1") {
  return {ProbeKind::tcp, address, port, ""};
}

ProbeTarget http(std::uint16_t port, const std::string& path) {
  return {ProbeKind::http, "127.0.0.1", port, path};
}

}  // namespace

TEST_CASE("ports that listen are told at once, the others at the deadline with errno's words") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const Port open;
  open.listen();
  const Port closed;
  peer.send(probe_of({tcp(closed.number()), tcp(open.number())}, 200));
  REQUIRE(peer.expect<protocol::Probed>() == protocol::Probed{1, 1, true, ""});
  const auto late = peer.expect<protocol::Probed>();
  REQUIRE(late.index == 0);
  REQUIRE_FALSE(late.answered);
  REQUIRE_THAT(late.text, ContainsSubstring("Connection refused"));
}

TEST_CASE("a port that begins to listen later is found") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const Port first;
  first.listen();
  const Port second;
  peer.send(probe_of({tcp(second.number()), tcp(first.number())}));
  REQUIRE(peer.expect<protocol::Probed>().index == 1);  // so the other was tried and failed
  second.listen();
  REQUIRE(peer.expect<protocol::Probed>() == protocol::Probed{1, 0, true, ""});
}

TEST_CASE("IPv6 literals are tried, anything else is no address") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  for (const char* word : {"localhost", "", "127.0.0.1.5", "::1%lo", "1.2.3.4 "}) {
    peer.send(probe_of({tcp(80, word)}));
    const auto probed = peer.expect<protocol::Probed>();
    REQUIRE_FALSE(probed.answered);
    REQUIRE_THAT(probed.text, ContainsSubstring("address"));
  }
  const Port v6(AF_INET6);
  if (v6.number() == 0) {
    WARN("not checked here: no IPv6");
    return;
  }
  v6.listen();
  peer.send(probe_of({tcp(v6.number(), "::1")}));
  REQUIRE(peer.expect<protocol::Probed>().answered);
}

TEST_CASE("HTTP answers count with any status line, and with no other") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const Port port;
  port.listen();
  peer.send(probe_of({http(port.number(), "/ready?x=1")}));
  const std::string request = port.answer_once("220 mail ready\r\n");
  REQUIRE_THAT(request, StartsWith("GET /ready?x=1 HTTP/1.0\r\nHost: 127.0.0.1:" +
                                   std::to_string(port.number()) + "\r\n"));
  port.answer_once("HTTP/1.1 ");  // cut off
  port.answer_once("HTTP/1.1 503 Not yet\r\n\r\n");
  REQUIRE(peer.expect<protocol::Probed>() == protocol::Probed{1, 0, true, ""});
  peer.send(probe_of({http(port.number(), "/a b"), http(port.number(), "/a\r\nX: y")}));
  REQUIRE_FALSE(peer.expect<protocol::Probed>().answered);
  REQUIRE_FALSE(peer.expect<protocol::Probed>().answered);
}

TEST_CASE("probes run beside each other and beside a stage, and end with the connection") {
  const AgentProcess agent(with(each_build()));
  AgentPeer peer = greeted(agent);
  const Port never;
  std::vector<ProbeTarget> many(100, tcp(never.number()));
  peer.send(probe_of(many, 600'000, 1));
  const Port open;
  open.listen();
  peer.send(probe_of({tcp(open.number())}, 600'000, 2));
  REQUIRE(peer.expect<protocol::Probed>().tag == 2);
  REQUIRE(peer.run("echo beside").output == "beside\n");
  AgentPeer next = greeted(agent);
  never.listen();
  // None of the old one's answers reaches the new one.
  REQUIRE(next.run("echo alone").output == "alone\n");
}

TEST_CASE("a free port of our own range does not answer itself") {
  // In a network of its own, where every connection comes from the port it goes to.
  const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (::unshare(CLONE_NEWNET) != 0) {
    ::close(home);
    WARN("not checked here: this user may not make network namespaces");
    return;
  }
  write_file("/proc/sys/net/ipv4/ip_local_port_range", "40001 40001");
  ifreq loopback{};
  std::string("lo").copy(static_cast<char*>(loopback.ifr_name), 2);
  loopback.ifr_flags = IFF_UP;
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool up = ::ioctl(any, SIOCSIFFLAGS, &loopback) == 0;
  ::close(any);
  std::optional<AgentProcess> agent(with(each_build()));
  const bool back = ::setns(home, CLONE_NEWNET) == 0;
  ::close(home);
  REQUIRE(up);
  REQUIRE(back);
  AgentPeer peer = greeted(*agent);
  peer.send(probe_of({tcp(40001)}, 200));
  REQUIRE_FALSE(peer.expect<protocol::Probed>().answered);
}
