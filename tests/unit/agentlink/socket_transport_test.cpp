#include "executor/agentlink/socket_transport.hpp"

#include "executor/agentlink/client.hpp"
#include "executor/agentlink/session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
using agentlink::ConnectError;
using agentlink::ConnectFailure;
namespace fs = std::filesystem;

namespace {

/// Binds a socket by its directory's descriptor, so that long paths work.
support::Fd listen_at(const fs::path& path, int type = SOCK_STREAM, int backlog = 8) {
  const support::Fd directory(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  support::Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name =
      "/proc/self/fd/" + std::to_string(directory.get()) + "/" + path.filename().string();
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  if (type != SOCK_DGRAM) REQUIRE(::listen(socket.get(), backlog) == 0);
  return socket;
}

struct Fixture {
  TempDir temp;
  /// What prepare would make: a trusted parent and the directory the job sees.
  fs::path job = temp.path() / "trusted" / "build";
  fs::path socket = job / "agent.sock";
  fs::path outside = temp.path() / "outside";

  Fixture() {
    fs::create_directories(job);
    fs::create_directories(outside);
  }

  std::unique_ptr<agentlink::Stream> connect() const {
    return agentlink::make_socket_transport(job)->connect(agentlink::system_waiter().now() + 1s,
                                                          {});
  }
  /// The kind and the words of the failure.
  std::pair<ConnectFailure, std::string> failure() const {
    try {
      connect();
    } catch (const ConnectError& error) {
      return {error.kind(), error.what()};
    }
    FAIL("connected");
    return {};
  }
};

bool nobody_came(const support::Fd& listener) {
  pollfd fd{listener.get(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 0;
}

}  // namespace

TEST_CASE("the agent's socket is connected to", "[socket]") {
  Fixture f;
  const support::Fd listener = listen_at(f.socket);
  const auto stream = f.connect();
  const support::Fd agent(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(agent);

  std::array<char, 16> buffer{};
  CHECK(stream->read(buffer).state == agentlink::Io::State::would_block);
  CHECK(stream->write("hello").bytes == 5);
  CHECK(::recv(agent.get(), buffer.data(), buffer.size(), 0) == 5);
  REQUIRE(::send(agent.get(), "world", 5, 0) == 5);
  CHECK(stream->read(buffer).bytes == 5);
  CHECK(::shutdown(agent.get(), SHUT_RDWR) == 0);
  CHECK(stream->read(buffer).state == agentlink::Io::State::closed);
  CHECK(stream->write("x").state == agentlink::Io::State::closed);  // and no SIGPIPE
  CHECK((::fcntl(stream->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(stream->fd(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("a path longer than a socket address is connected to", "[socket]") {
  Fixture f;
  f.job = f.temp.path() / std::string(120, 'a') / std::string(120, 'b');
  f.socket = f.job / "agent.sock";
  fs::create_directories(f.job);
  const support::Fd listener = listen_at(f.socket);
  CHECK_NOTHROW(f.connect());
}

TEST_CASE("a missing way is told from an agent that has ended", "[socket]") {
  Fixture f;
  SECTION("the directory does not exist on this host") {
    fs::remove(f.job);
    CHECK(f.failure().first == ConnectFailure::absent);
  }
  SECTION("nor does its parent") {
    fs::remove_all(f.job.parent_path());
    CHECK(f.failure().first == ConnectFailure::absent);
  }
  SECTION("the socket was removed") {
    CHECK(f.failure().first == ConnectFailure::gone);
  }
  SECTION("nobody listens") {
    listen_at(f.socket).reset();
    CHECK(f.failure().first == ConnectFailure::gone);
    CHECK_THAT(f.failure().second, ContainsSubstring(f.socket.string()));
  }
  SECTION("the backlog is full") {
    const support::Fd listener = listen_at(f.socket, SOCK_STREAM, 0);
    const auto first = f.connect();
    CHECK(f.failure().first == ConnectFailure::temporary);
  }
}

TEST_CASE("a socket replaced by a link to another socket is not followed", "[socket][hostile]") {
  Fixture f;
  const support::Fd victim = listen_at(f.outside / "docker.sock");
  fs::create_symlink(f.outside / "docker.sock", f.socket);
  const auto [kind, words] = f.failure();
  CHECK(kind == ConnectFailure::hostile);
  CHECK_THAT(words, ContainsSubstring("symbolic link"));
  CHECK(nobody_came(victim));
}

TEST_CASE("a directory replaced by a link is not followed", "[socket][hostile]") {
  Fixture f;
  const support::Fd victim = listen_at(f.outside / "agent.sock");
  fs::remove(f.job);
  SECTION("absolute") {
    fs::create_directory_symlink(f.outside, f.job);
  }
  SECTION("relative") {
    fs::create_directory_symlink("../outside", f.job);
  }
  SECTION("through /proc") {
    fs::create_directory_symlink("/proc/self/cwd", f.job);
  }
  CHECK(f.failure().first == ConnectFailure::hostile);
  CHECK(nobody_came(victim));
}

TEST_CASE("no part of the way below the trusted directory is followed", "[socket][hostile]") {
  Fixture f;
  const support::Fd victim = listen_at(f.outside / "agent.sock");
  const auto reach = [&](const char* below) {
    const auto transport = agentlink::make_socket_transport(f.job.parent_path(), below);
    try {
      transport->connect(agentlink::system_waiter().now() + 1s, {});
    } catch (const ConnectError& error) {
      return error.kind();
    }
    FAIL("connected");
    return ConnectFailure::gone;
  };
  fs::create_directory(f.outside / "deep");
  fs::rename(f.outside / "agent.sock", f.outside / "deep" / "agent.sock");
  fs::create_directory_symlink(f.outside, f.job / "link");
  CHECK(reach("build/link/deep/agent.sock") == ConnectFailure::hostile);
  CHECK(reach("../outside/deep/agent.sock") == ConnectFailure::hostile);
  CHECK(nobody_came(victim));
}

TEST_CASE("the parent may be reached through links: it is ours", "[socket]") {
  Fixture f;
  const support::Fd listener = listen_at(f.socket);
  fs::create_directory_symlink(f.job.parent_path(), f.temp.path() / "link");
  const auto transport = agentlink::make_socket_transport(f.temp.path() / "link" / "build");
  CHECK_NOTHROW(transport->connect(agentlink::system_waiter().now() + 1s, {}));
}

TEST_CASE("what is no stream socket is refused without touching it", "[socket][hostile]") {
  Fixture f;
  support::Fd socket;
  SECTION("a FIFO, whose opening would hang") {
    REQUIRE(::mkfifo(f.socket.c_str(), 0666) == 0);
    CHECK_THAT(f.failure().second, ContainsSubstring("a FIFO stands where"));
  }
  SECTION("a regular file") {
    std::ofstream(f.socket) << "HELLO";
    CHECK_THAT(f.failure().second, ContainsSubstring("a regular file stands where"));
  }
  SECTION("a directory") {
    fs::create_directory(f.socket);
    CHECK_THAT(f.failure().second, ContainsSubstring("a directory stands where"));
  }
  SECTION("a datagram socket") {
    socket = listen_at(f.socket, SOCK_DGRAM);
    CHECK_THAT(f.failure().second, ContainsSubstring("another type"));
  }
  SECTION("a sequenced-packet socket") {
    socket = listen_at(f.socket, SOCK_SEQPACKET);
    CHECK_THAT(f.failure().second, ContainsSubstring("another type"));
  }
  CHECK(f.failure().first == ConnectFailure::hostile);
}

TEST_CASE("a socket replaced between two connections is refused at the second",
          "[socket][hostile]") {
  Fixture f;
  const support::Fd victim = listen_at(f.outside / "docker.sock");
  support::Fd listener = listen_at(f.socket);
  const auto transport = agentlink::make_socket_transport(f.job);

  // The agent greets and is cut; the next connect finds a link in its place.
  class Replacing final : public agentlink::Transport {
   public:
    std::unique_ptr<agentlink::Stream> connect(std::chrono::steady_clock::time_point deadline,
                                               std::stop_token stop) override {
      if (++m_connects == 2) before_second();
      auto stream = inner->connect(deadline, std::move(stop));
      accept();
      return stream;
    }
    std::string describe() const override { return inner->describe(); }
    agentlink::Transport* inner = nullptr;
    std::function<void()> before_second;
    std::function<void()> accept;

   private:
    int m_connects = 0;
  } replacing;
  replacing.inner = transport.get();
  replacing.accept = [&] {
    const support::Fd agent(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string hello = protocol::encode(protocol::Hello{});
    REQUIRE(::send(agent.get(), hello.data(), hello.size(), 0) > 0);
  };
  replacing.before_second = [&] {
    fs::remove(f.socket);
    fs::create_symlink(f.outside / "docker.sock", f.socket);
  };

  StringSink sink;
  CHECK_THROWS_WITH(agentlink::run_stage(replacing, test_request(), sink, {}, {}),
                    ContainsSubstring("symbolic link"));
  CHECK(nobody_came(victim));
}

TEST_CASE("descriptors that a peer passes are dropped", "[socket][hostile]") {
  Fixture f;
  const support::Fd listener = listen_at(f.socket);
  const auto stream = f.connect();
  const support::Fd agent(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));

  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const support::Fd reader(pipe[0]);
  support::Fd writer(pipe[1]);
  char byte = 'x';
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = writer.get();
  std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
  REQUIRE(::sendmsg(agent.get(), &message, 0) == 1);
  writer.reset();

  std::array<char, 16> buffer{};
  REQUIRE(stream->read(buffer).bytes == 1);
  // The writing end is closed everywhere: it did not arrive with the byte.
  CHECK(::read(reader.get(), buffer.data(), buffer.size()) == 0);
}

TEST_CASE("a stop request ends the attempt to connect", "[socket]") {
  Fixture f;
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(agentlink::make_socket_transport(f.job)->connect({}, stop.get_token()),
                  support::Cancelled);
}
