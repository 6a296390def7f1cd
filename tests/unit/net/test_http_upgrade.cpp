#include "executor/net/http.hpp"
#include "executor/net/response_head.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/http_server.hpp"
#include "tests/support/temp_dir.hpp"

#include <poll.h>
#include <thread>

using namespace berth;
using tests::HttpServer;
using tests::ServerFault;
using tests::ServerPeer;
using State = net::DuplexIo::State;

namespace {

auto soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

void wait(net::DuplexStream& stream, short events) {
  if (events == POLLIN && stream.buffered()) return;
  pollfd entry{stream.fd(), events, 0};
  ::poll(&entry, 1, 10000);
}

std::string read_all(net::DuplexStream& stream, std::size_t enough = std::string::npos) {
  std::string all;
  std::array<char, 1000> buffer;
  while (all.size() < enough) {
    const net::DuplexIo io = stream.read(buffer);
    if (io.state == State::closed) break;
    if (io.state == State::moved) all.append(buffer.data(), io.bytes);
    if (io.state == State::would_block) wait(stream, POLLIN);
  }
  return all;
}

void write_all(net::DuplexStream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const net::DuplexIo io = stream.write(bytes);
    REQUIRE(io.state != State::closed);
    bytes.remove_prefix(io.bytes);
    if (io.state == State::would_block) wait(stream, POLLOUT);
  }
}

const net::HttpRequest k_start{.method = "POST",
                               .target = "/exec/1/start",
                               .headers = {{"Content-Type", "application/json"}},
                               .body = R"({"Detach":false})"};

/// Sends back what it gets until "bye" stands at the end.
void echo(ServerPeer& peer) {
  std::string all;
  while (!all.ends_with("bye")) {
    const std::string piece = peer.read();
    if (piece.empty()) return;
    all += piece;
    peer.write(piece);
  }
}

}  // namespace

TEST_CASE("an upgraded connection carries bytes both ways", "[upgrade]") {
  const int kind = GENERATE(0, 1, 2);
  const tests::TempDir dir;
  const tests::Authority authority("authority");
  HttpServer::Options options;
  net::HttpOptions client_options{.base_url = "http://docker", .unix_socket = {}, .tls = {}};
  if (kind == 0) {
    options.unix_socket = dir.path() / "s";
    client_options.unix_socket = (dir.path() / "s").string();
  }
  if (kind == 2) {
    options.tls = HttpServer::Tls{authority.server(), authority.ca_pem()};
    const tests::Certificate mine = authority.client("me");
    client_options.tls = {.ca_pem = authority.ca_pem(),
                          .certificate_pem = mine.certificate_pem,
                          .key_pem = support::Secret(mine.key_pem)};
  }
  HttpServer server(options);
  if (kind != 0) client_options.base_url = server.url();
  server.on("POST", "/exec/1/start",
            {{.status = 101, .headers = {{"Upgrade", "tcp"}}, .upgrade = echo}});
  const auto client = net::make_http_client(client_options);
  const net::Upgraded upgraded = client->upgrade(k_start, soon(), {});
  REQUIRE(upgraded.stream != nullptr);
  CHECK(upgraded.response.status == 101);
  CHECK(server.requests().at(0).body == R"({"Detach":false})");
  CHECK(server.requests().at(0).header("Upgrade") == "tcp");

  // More than any buffer on the way holds, so both directions must move at once.
  std::string sent(std::size_t{1} << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>('a' + i % 26);
  sent += "bye";
  std::jthread writer;
  std::string got;
  std::size_t offset = 0;
  std::array<char, 5000> buffer;
  while (got.size() < sent.size()) {
    bool idle = true;
    if (offset < sent.size()) {
      const net::DuplexIo out =
          upgraded.stream->write(std::string_view(sent).substr(offset, 30000));
      REQUIRE(out.state != State::closed);
      offset += out.bytes;
      idle = out.state == State::would_block;
    }
    const net::DuplexIo in = upgraded.stream->read(buffer);
    REQUIRE(in.state != State::closed);
    if (in.state == State::moved) {
      got.append(buffer.data(), in.bytes);
      idle = false;
    }
    if (idle && !upgraded.stream->buffered()) {
      pollfd entry{upgraded.stream->fd(),
                   static_cast<short>(offset < sent.size() ? POLLIN | POLLOUT : POLLIN), 0};
      REQUIRE(::poll(&entry, 1, 10000) > 0);
    }
  }
  CHECK(got == sent);
  CHECK(read_all(*upgraded.stream).empty());
}

TEST_CASE("bytes that come with the header belong to the stream") {
  HttpServer server;
  server.on("POST", "/exec/1/start", {{.status = 200, .upgrade = [](ServerPeer& peer) {
                                         peer.write("first");
                                         peer.write(peer.read());
                                       }}});
  const auto client =
      net::make_http_client({.base_url = server.url(), .unix_socket = {}, .tls = {}});
  const net::Upgraded upgraded = client->upgrade(k_start, soon(), {});
  REQUIRE(upgraded.stream != nullptr);
  CHECK(read_all(*upgraded.stream, 5) == "first");
  write_all(*upgraded.stream, " second");
  CHECK(read_all(*upgraded.stream) == " second");
}

TEST_CASE("what TLS holds back is announced, since no poll tells of it") {
  const tests::Authority authority("authority");
  HttpServer server({.tls = HttpServer::Tls{authority.server(), ""}});
  const std::string record(10000, 'r');
  server.on("POST", "/exec/1/start", {{.status = 101, .upgrade = [&](ServerPeer& peer) {
                                         peer.write(record);
                                         peer.read();  // open until the client leaves
                                       }}});
  const auto client = net::make_http_client(
      {.base_url = server.url(), .unix_socket = {}, .tls = {.ca_pem = authority.ca_pem()}});
  const net::Upgraded upgraded = client->upgrade(k_start, soon(), {});
  REQUIRE(upgraded.stream != nullptr);
  std::array<char, 100> buffer;
  std::size_t got = 0;
  while (got < record.size()) {
    pollfd entry{upgraded.stream->fd(), POLLIN, 0};
    if (!upgraded.stream->buffered()) REQUIRE(::poll(&entry, 1, 10000) == 1);
    const net::DuplexIo io = upgraded.stream->read(buffer);
    REQUIRE(io.state != State::closed);
    got += io.bytes;
  }
  CHECK(got == record.size());
}

TEST_CASE("a refused upgrade is a whole response") {
  HttpServer server;
  const std::size_t chunk = GENERATE(std::size_t{0}, std::size_t{7});
  server.on("POST", "/exec/1/start",
            {{.status = 409, .body = R"({"message":"container is paused"})", .chunk = chunk}});
  const auto client =
      net::make_http_client({.base_url = server.url(), .unix_socket = {}, .tls = {}});
  const net::Upgraded upgraded = client->upgrade(k_start, soon(), {});
  CHECK(upgraded.stream == nullptr);
  CHECK(upgraded.response.status == 409);
  CHECK(upgraded.response.body == R"({"message":"container is paused"})");
}

TEST_CASE("an upgrade can fail like any call") {
  HttpServer server;
  const auto client =
      net::make_http_client({.base_url = server.url(), .unix_socket = {}, .tls = {}});
  const auto failure = [&](std::chrono::steady_clock::time_point deadline) {
    try {
      client->upgrade(k_start, deadline, {});
    } catch (const net::HttpError& error) {
      return error.failure();
    }
    FAIL("no error");
    return net::HttpFailure{};
  };
  SECTION("dropped") {
    server.on("POST", "/exec/1/start", {{.fault = ServerFault::drop}});
    CHECK(failure(soon()) == net::HttpFailure::reset);
  }
  SECTION("garbage") {
    server.on("POST", "/exec/1/start", {{.fault = ServerFault::garbage}});
    CHECK(failure(soon()) == net::HttpFailure::malformed);
  }
  SECTION("no answer before the deadline") {
    server.on("POST", "/exec/1/start", {{.fault = ServerFault::hang}});
    CHECK(failure(std::chrono::steady_clock::now() + std::chrono::milliseconds(50)) ==
          net::HttpFailure::timeout);
  }
  SECTION("stopped") {
    server.on("POST", "/exec/1/start", {{.fault = ServerFault::hang}});
    std::stop_source stop;
    std::jthread stopper([&] {
      server.wait_for("POST", "/exec/1/start", 1);
      stop.request_stop();
    });
    CHECK_THROWS_AS(client->upgrade(k_start, soon(), stop.get_token()), support::Cancelled);
  }
}

TEST_CASE("the reply's header is found in whatever pieces it comes") {
  const std::string reply =
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
      "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nrest";
  for (std::size_t cut = 1; cut < reply.size(); ++cut) {
    net::UpgradeReply parser;
    const bool whole = parser.feed(reply.substr(0, cut)) || parser.feed(reply.substr(cut));
    REQUIRE(whole);
    CHECK(parser.granted());
    const std::string rest = parser.rest();
    CHECK(std::string("rest").starts_with(rest));
  }
  net::UpgradeReply endless;
  CHECK_THROWS_AS(endless.feed("HTTP/1.1 101 OK\r\nX: " + std::string(1 << 20, 'x')),
                  net::HttpError);
}
