#include "agent/protocol/frames.hpp"
#include "executor/agentlink/session.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/support/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/run/run_fixture.hpp"

#include <array>
#include <csignal>
#include <functional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

/// A job replaces its container's agent socket, or answers there itself:
/// berth-run ends with a system failure and words, and never with a success.

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

support::Fd listen_at(const fs::path& path) {
  support::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 8) == 0);
  return socket;
}

/// Serves each connection with `say` in a thread of its own until the test ends.
class Impostor {
 public:
  using Say = std::function<void(int fd)>;

  Impostor(const fs::path& path, Say say)
      : m_listener(listen_at(path)), m_say(std::move(say)), m_thread([this] { serve(); }) {}
  ~Impostor() {
    ::shutdown(m_listener.get(), SHUT_RDWR);
    m_thread.join();
  }

 private:
  void serve() {
    for (;;) {
      const support::Fd driver(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!driver) return;
      m_say(driver.get());
    }
  }

  support::Fd m_listener;
  Say m_say;
  std::thread m_thread;
};

/// False when the driver has gone.
bool say(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// The id of the START that comes, after a HELLO.
protocol::StageId greet(int fd) {
  say(fd, protocol::encode(protocol::Hello{}));
  protocol::DriverDecoder decoder(protocol::k_max_driver_payload);
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
    decoder.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (const auto message = decoder.next()) return std::get<protocol::Start>(*message).id;
  }
  return {};
}

struct WithSockets {
  TempDir sockets;
  fs::path socket = sockets.path() / "build" / "agent.sock";
  WithSockets() { fs::create_directory(socket.parent_path()); }
};
struct Fixture : WithSockets, RunFixture {
  Fixture() : RunFixture(socket.parent_path()) {}
};

}  // namespace

TEST_CASE("an impostor in the place of the agent never makes a stage succeed",
          "[berth-run][hostile]") {
  const Fixture f;
  Impostor::Say act;
  SECTION("garbage") {
    act = [](int fd) { say(fd, std::string(1000, '\xee')); };
  }
  SECTION("a web server") {
    act = [](int fd) { say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); };
  }
  SECTION("endless bytes") {
    act = [](int fd) {
      while (say(fd, std::string(65536, '\0'))) {
      }
    };
  }
  SECTION("endless HELLOs") {
    act = [](int fd) {
      while (say(fd, protocol::encode(protocol::Hello{}))) {
      }
    };
  }
  SECTION("a success before the stage was started") {
    act = [](int fd) {
      say(fd, protocol::encode(protocol::Hello{}));
      say(fd, protocol::encode(protocol::Exit{}));
    };
  }
  SECTION("a success without a start") {
    act = [](int fd) {
      const auto id = greet(fd);
      say(fd, protocol::encode(protocol::Exit{.id = id}));
    };
  }
  SECTION("a success with output that never came") {
    act = [](int fd) {
      const auto id = greet(fd);
      say(fd, protocol::encode(protocol::Started{.id = id}));
      say(fd, protocol::encode(protocol::Exit{.id = id, .length = 5}));
    };
  }
  SECTION("output at an offset that would be negative") {
    act = [](int fd) {
      const auto id = greet(fd);
      say(fd, protocol::encode(protocol::Started{.id = id}));
      say(fd, protocol::encode(protocol::Output{~std::uint64_t{0}, "x"}));
      say(fd, protocol::encode(protocol::Exit{.id = id, .length = 0}));
    };
  }
  const Impostor impostor(f.socket, act);
  const auto run = f.start("true\n", "build_script");
  CHECK(run->wait() == k_system_failure);
  CHECK(run->output().empty());
  CHECK_THAT(run->errors(), ContainsSubstring("does not speak its protocol"));
  CHECK(f.exit_code_file().empty());
}

TEST_CASE("an impostor that never stops talking does not outlast a cancel",
          "[berth-run][hostile]") {
  const WithSockets f;
  const Impostor impostor(f.socket, [](int fd) {
    const auto id = greet(fd);
    say(fd, protocol::encode(protocol::Started{.id = id}));
    for (std::uint64_t offset = 0;; offset += 4)
      if (!say(fd, protocol::encode(protocol::Output{offset, "talk"}))) return;
  });
  std::stop_source stop;
  class Sink final : public core::OutputSink {
   public:
    explicit Sink(std::stop_source& to_stop) : m_stop(to_stop) {}
    void write(std::string_view) override { m_stop.request_stop(); }

   private:
    std::stop_source& m_stop;
  } sink(stop);
  agentlink::StageRequest request;
  request.start.id = agentlink::make_stage_id();
  const agentlink::SessionLimits limits{.grace = 50ms, .kill_wait = 50ms};
  const auto transport = agentlink::make_socket_transport(f.socket.parent_path());
  CHECK_THROWS_AS(agentlink::run_stage(*transport, request, sink, limits, stop.get_token()),
                  support::Cancelled);
}

TEST_CASE("a link or a FIFO in the place of the socket is refused by name",
          "[berth-run][hostile]") {
  const Fixture f;
  const support::Fd victim = listen_at(f.sockets.path() / "docker.sock");
  std::string named;
  SECTION("link") {
    fs::create_symlink("../docker.sock", f.socket);
    named = "a symbolic link";
  }
  SECTION("FIFO") {
    REQUIRE(::mkfifo(f.socket.c_str(), 0666) == 0);
    named = "a FIFO";
  }
  const auto run = f.start("true\n", "build_script");
  CHECK(run->wait() == k_system_failure);
  CHECK_THAT(run->errors(), ContainsSubstring(named));
  CHECK(f.engine_arguments().empty());
  pollfd fd{victim.get(), POLLIN, 0};
  CHECK(::poll(&fd, 1, 0) == 0);
}
