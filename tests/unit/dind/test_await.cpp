// Whether a daemon answers, asked through the real agent's `dial`.
#include "executor/dind/await.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/http_server.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace berth;
using namespace std::chrono_literals;
using agentlink::Io;

namespace {

/// `berth-agent dial` with a socket as both its streams.
class DialStream final : public agentlink::Stream {
 public:
  explicit DialStream(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    m_fd = support::Fd(ends[0]);
    const support::Fd other(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string program = tests::agent_program(tests::AgentBuild::host);
    std::string command = "dial";
    std::vector<std::string> words = arguments;
    std::vector<char*> argv{program.data(), command.data()};
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    REQUIRE(::posix_spawn(&m_pid, program.c_str(), &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~DialStream() override {
    m_fd.reset();
    // It may wait for its own other end.
    ::kill(m_pid, SIGKILL);
    ::waitpid(m_pid, nullptr, 0);
  }

  int fd() const override { return m_fd.get(); }
  Io read(std::span<char> into) override {
    return io(::read(m_fd.get(), into.data(), into.size()));
  }
  Io write(std::string_view bytes) override {
    return io(::send(m_fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

 private:
  static Io io(ssize_t moved) {
    if (moved > 0) return {Io::State::moved, static_cast<std::size_t>(moved), {}};
    if (moved < 0 && errno == EAGAIN) return {};
    return {Io::State::closed, 0, {}};
  }

  support::Fd m_fd;
  pid_t m_pid = -1;
};

class DialTransport final : public agentlink::Transport {
 public:
  explicit DialTransport(std::vector<std::string> arguments) : m_arguments(std::move(arguments)) {}
  std::unique_ptr<agentlink::Stream> connect(std::chrono::steady_clock::time_point,
                                             std::stop_token) override {
    return std::make_unique<DialStream>(m_arguments);
  }
  std::string describe() const override { return "dial"; }

 private:
  std::vector<std::string> m_arguments;
};

class Lines final : public support::Console {
 public:
  void line(std::string_view text) override { all.emplace_back(text); }
  void warning(std::string_view text) override { all.push_back("WARNING " + std::string(text)); }
  std::vector<std::string> all;
};

dind::AwaitedDaemon daemon_at(const std::string& host) {
  return {.image = "docker:dind",
          .address = "127.0.0.1",
          .port = static_cast<std::uint16_t>(std::stoi(host.substr(host.rfind(':') + 1))),
          .target = {.host = "docker"},
          .dial =
              [](std::vector<std::string> arguments) {
                return std::make_unique<DialTransport>(std::move(arguments));
              },
          .ended = [] { return std::nullopt; },
          .log = [] { return std::string("level=info msg=starting"); }};
}

std::vector<std::string> await(const dind::AwaitedDaemon& daemon,
                               std::chrono::milliseconds limit = 20s) {
  Lines lines;
  dind::await_daemon(daemon, limit, lines, {});
  return lines.all;
}

tests::HttpServer::Options tls(const dind::Certificates& certificates) {
  return {.tls =
              tests::HttpServer::Tls{.certificate = {certificates.server.certificate,
                                                     std::string(certificates.server.key.expose())},
                                     .client_ca_pem = certificates.authority}};
}

}  // namespace

TEST_CASE("dind: a daemon that answers is ready, plain and by TLS") {
  tests::HttpServer plain;
  plain.on("GET", "/_ping", {{.body = "OK"}});
  CHECK(await(daemon_at(plain.host())) ==
        std::vector<std::string>{"Docker daemon of service 'docker:dind' is ready (without TLS)"});

  const auto certificates = dind::make_certificates({"docker"});
  tests::HttpServer secure(tls(certificates));
  secure.on("GET", "/_ping", {{.body = "OK"}});
  auto daemon = daemon_at(secure.host());
  daemon.target.certificates = &certificates;
  CHECK(await(daemon) ==
        std::vector<std::string>{"Docker daemon of service 'docker:dind' is ready (TLS)"});
  CHECK(secure.count("GET", "/_ping") == 1);
}

TEST_CASE("dind: an answer that is none is asked for again") {
  tests::HttpServer server;
  server.on("GET", "/_ping",
            {{.fault = tests::ServerFault::drop}, {.status = 503}, {.body = "OK"}});
  CHECK(await(daemon_at(server.host())).size() == 1);
  CHECK(server.count("GET", "/_ping") == 3);
}

TEST_CASE("dind: whom the certificates are not for") {
  const auto ours = dind::make_certificates({"docker"});
  const auto others = dind::make_certificates({"docker"});
  const auto renamed = dind::make_certificates({"elsewhere"});
  const auto failure = [](const dind::Certificates& server_side,
                          const dind::Certificates& client_side) {
    tests::HttpServer server(tls(server_side));
    server.on("GET", "/_ping", {{.body = "OK"}});
    DialStream stream({"127.0.0.1", std::to_string(daemon_at(server.host()).port), "10"});
    const auto words = dind::ping(stream, {.host = "docker", .certificates = &client_side},
                                  std::chrono::steady_clock::now() + 1h, [] { return true; }, {});
    CHECK(server.count("GET", "/_ping") == 0);
    return words.value_or("ready");
  };
  CHECK_THAT(failure(others, ours), StartsWith("TLS: "));
  CHECK_THAT(failure(renamed, renamed), ContainsSubstring("ostname mismatch"));
  // The server knows another authority than the one that signed the client's.
  dind::Certificates mixed = ours;
  mixed.client = others.client;
  CHECK(failure(ours, mixed) != "ready");
}

TEST_CASE("dind: one that is late is told of with its last lines") {
  auto daemon = daemon_at("tcp://127.0.0.1:1");
  const auto lines = await(daemon, 0ms);
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], StartsWith("WARNING the Docker daemon of service 'docker:dind' did not "
                                  "answer on port 1 within 0 s: "));
  CHECK_THAT(lines[0], ContainsSubstring("level=info msg=starting"));
}

TEST_CASE("dind: one that has ended is not waited for, and its last lines have a cause") {
  auto daemon = daemon_at("tcp://127.0.0.1:1");
  daemon.ended = [] {
    return std::optional<std::string>(
        "ended with exit code 1\nits last lines:\n  mount: operation not permitted");
  };
  const auto lines = await(daemon, std::chrono::hours(1));
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], StartsWith("WARNING service 'docker:dind' ended with exit code 1; the job "
                                  "goes on without it\n"));
  CHECK_THAT(lines[0], ContainsSubstring("likely cause: it was not given the privileges"));

  // It accepts, and dies before it answers.
  tests::HttpServer server;
  server.on("GET", "/_ping", {{.fault = tests::ServerFault::hang}});
  daemon.port = daemon_at(server.host()).port;
  CHECK(await(daemon, std::chrono::hours(1)).size() == 1);
}

TEST_CASE("dind: a stop ends the waiting") {
  std::stop_source stop;
  stop.request_stop();
  Lines lines;
  tests::HttpServer server;
  server.on("GET", "/_ping", {{.fault = tests::ServerFault::hang}});
  CHECK_THROWS_AS(dind::await_daemon(daemon_at(server.host()), 1h, lines, stop.get_token()),
                  support::Cancelled);
}
