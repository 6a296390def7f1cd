#include "executor/agentlink/socket_transport.hpp"
#include "executor/sandbox/service_wait.hpp"
#include "executor/support/error.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/real/cutting_transport.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/// Services are waited for through the real agent, whose connection is cut.

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;

namespace {

/// Has a port that answers.
class Listener {
 public:
  Listener() : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(m_fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(m_fd, 8) == 0);
    REQUIRE(::getsockname(m_fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    m_port = ntohs(address.sin_port);
  }
  ~Listener() { ::close(m_fd); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const { return m_port; }

 private:
  int m_fd;
  std::uint16_t m_port = 0;
};

class Lines final : public support::Console {
 public:
  void line(std::string_view text) override { m_text += std::string(text) + "\n"; }
  void warning(std::string_view text) override { line("WARNING: " + std::string(text)); }
  const std::string& text() const { return m_text; }

 private:
  std::string m_text;
};

sandbox::AwaitedService a_service(std::uint16_t port) {
  return {.image = "web",
          .address = "127.0.0.1",
          .ports = {port},
          .ended = [] { return std::nullopt; },
          .late = [] { return sandbox::AwaitedService::Late{}; }};
}

}  // namespace

TEST_CASE("a wait for services goes on where the helper's connection was cut", "[services]") {
  const AgentProcess agent;
  const Listener service;
  const auto socket = agentlink::make_socket_transport(agent.run_dir());
  // In the midst of the question, and before the answer.
  const bool down = GENERATE(true, false);
  CuttingTransport transport(*socket, [&](unsigned connection) {
    if (connection > 1) return CutAt{};
    return down ? CutAt{.down = 3, .up = std::nullopt} : CutAt{.down = std::nullopt, .up = 200};
  });
  const auto connect = [&] {
    return agentlink::AgentClient::connect(transport, std::chrono::steady_clock::now() + 60s, {});
  };
  Lines console;
  SECTION("a service that is ready") {
    sandbox::await_services(connect, {a_service(service.port())}, 60s, console, {});
    CHECK(console.text().empty());
    if (down) CHECK(transport.cuts() == 2);
  }
  SECTION("one that never is") {
    sandbox::await_services(connect, {a_service(1)}, 300ms, console, {});
    CHECK_THAT(console.text(), ContainsSubstring("did not answer on port 1"));
  }
}

TEST_CASE("a helper that does not come back ends the wait for services", "[services]") {
  const AgentProcess agent;
  const auto socket = agentlink::make_socket_transport(agent.run_dir());
  CuttingTransport transport(*socket,
                             [](unsigned) { return CutAt{.down = 3, .up = std::nullopt}; });
  bool first = true;
  const auto connect = [&] {
    if (!std::exchange(first, false)) throw support::SystemError("the helper is gone");
    return agentlink::AgentClient::connect(transport, std::chrono::steady_clock::now() + 60s, {});
  };
  Lines console;
  CHECK_THROWS_WITH(sandbox::await_services(connect, {a_service(1)}, 60s, console, {}),
                    "the helper is gone");
}
