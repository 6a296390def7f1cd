#include "executor/net/websocket.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/websocket_peer.hpp"

#include <array>
#include <poll.h>
#include <thread>

using namespace berth;
using net::WebSocketIo;
using tests::HttpServer;
using tests::ServerRequest;
using tests::to_bytes;
using tests::WebSocketFrame;
using tests::WebSocketPeer;
using State = net::WebSocketIo::State;

namespace {

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

void wait_for(net::WebSocket& socket, bool wants_write) {
  if (socket.buffered()) return;
  pollfd entry{socket.fd(), socket.poll_events(wants_write), 0};
  REQUIRE(::poll(&entry, 1, 20000) == 1);
}

struct Message {
  std::string bytes;
  /// Words of the end, where it was one.
  std::optional<std::string> end;
};

Message next_message(net::WebSocket& socket, std::size_t piece = 1000) {
  Message message;
  std::vector<char> buffer(piece);
  while (true) {
    const WebSocketIo io = socket.read(buffer);
    if (io.state == State::closed) {
      message.end = io.why;
      return message;
    }
    if (io.state == State::moved) {
      message.bytes.append(buffer.data(), io.bytes);
      if (io.end_of_message) return message;
    } else {
      wait_for(socket, false);
    }
  }
}

struct Bench {
  explicit Bench(std::function<void(WebSocketPeer&)> talk, HttpServer::Options options = {})
      : server(std::move(options)) {
    server.on("GET", "/ws", [talk = std::move(talk)](const ServerRequest& request) {
      return tests::websocket_reply(request, "b", talk);
    });
    client.base_url = server.url();
  }
  net::WebSocketAnswer connect(std::stop_token stop = {}) {
    return net::connect_websocket(client,
                                  {.target = "/ws?x=1",
                                   .headers = {{"X-One", "1"}},
                                   .secret_headers = {{"Authorization", support::Secret("secret")}},
                                   .protocols = {"a", "b"}},
                                  soon(), stop);
  }
  HttpServer server;
  net::HttpOptions client{.base_url = {}, .unix_socket = {}, .tls = {}};
};

void echo(WebSocketPeer& peer) {
  while (const std::optional<WebSocketFrame> frame = peer.read()) {
    if (frame->opcode == tests::k_ws_close) return peer.close();
    if (frame->opcode == tests::k_ws_ping)
      peer.write(to_bytes({tests::k_ws_pong, true, frame->payload}));
    else
      peer.write(to_bytes(*frame));
  }
}

/// Echoes a few sizes around what buffers and length fields hold.
void check_echo(net::WebSocket& socket) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 300000U}) {
    std::string sent(size, '\0');
    for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(i * 7 + size);
    while (socket.write(sent).state == State::would_block) wait_for(socket, true);
    CHECK(next_message(socket).bytes == sent);
  }
}

}  // namespace

TEST_CASE("A WebSocket carries messages both ways, plain and through TLS", "[websocket]") {
  const bool tls = GENERATE(false, true);
  const tests::Authority authority("authority");
  HttpServer::Options options;
  if (tls) options.tls = HttpServer::Tls{authority.server(), authority.ca_pem()};
  Bench bench(echo, options);
  if (tls) {
    const tests::Certificate mine = authority.client("me");
    bench.client.tls.ca_pem = authority.ca_pem();
    bench.client.tls.certificate_pem = mine.certificate_pem;
    bench.client.tls.key_pem = support::Secret(mine.key_pem);
  }
  const net::WebSocketAnswer answer = bench.connect();
  REQUIRE(answer.socket != nullptr);
  CHECK(answer.socket->protocol() == "b");
  const ServerRequest request = bench.server.requests().at(0);
  CHECK(request.header("Sec-WebSocket-Protocol") == "a, b");
  CHECK(request.header("Authorization") == "secret");
  CHECK(request.header("X-One") == "1");
  CHECK_THAT(request.header("User-Agent"), StartsWith("berth/"));
  CHECK("http://" + request.header("Host") ==
        (tls ? "http" + bench.server.url().substr(5) : bench.server.url()));
  check_echo(*answer.socket);
}

TEST_CASE("A message in fragments, with pings between, is one message", "[websocket]") {
  std::string pong;
  Bench bench([&](WebSocketPeer& peer) {
    peer.write(to_bytes({tests::k_ws_binary, false, "on"}));
    peer.write(to_bytes({tests::k_ws_ping, true, "are you there"}));
    peer.write(to_bytes({0, false, ""}));
    peer.write(to_bytes({0, true, "e"}));
    peer.write(to_bytes({tests::k_ws_text, true, "two"}));
    if (const auto frame = peer.read()) pong = frame->payload;
    peer.close();
    peer.read();
  });
  {
    const net::WebSocketAnswer answer = bench.connect();
    CHECK(next_message(*answer.socket, 1).bytes == "one");
    CHECK(next_message(*answer.socket, 1).bytes == "two");
    CHECK(next_message(*answer.socket).end == "");
  }
  CHECK(pong == "are you there");
}

TEST_CASE("Our pings are answered, and count as having heard", "[websocket]") {
  Bench bench(echo);
  const net::WebSocketAnswer answer = bench.connect();
  net::WebSocket& socket = *answer.socket;
  const auto before = socket.last_heard();
  socket.ping();
  std::array<char, 10> buffer;
  while (socket.last_heard() == before) {
    REQUIRE(socket.read(buffer).state == State::would_block);
    if (socket.last_heard() == before) wait_for(socket, false);
  }
  check_echo(socket);
}

TEST_CASE("A server that refuses is quoted whole", "[websocket]") {
  Bench bench(echo);
  bench.server.on("GET", "/ws", {{.status = 403, .headers = {{"X-Y", "z"}}, .body = "not you"}});
  const net::WebSocketAnswer answer = bench.connect();
  CHECK(answer.socket == nullptr);
  CHECK(answer.response.status == 403);
  CHECK(answer.response.body == "not you");
  CHECK(answer.response.header("x-y") == "z");
}

TEST_CASE("An answer that is no WebSocket's is malformed, a lost one is a reset", "[websocket]") {
  Bench bench(echo);
  const auto failure = [&](tests::ServerReply reply) {
    bench.server.on("GET", "/ws", {std::move(reply)});
    try {
      bench.connect();
    } catch (const net::HttpError& error) {
      return error.failure();
    }
    FAIL("connected");
    return net::HttpFailure::tls;
  };
  CHECK(failure({.fault = tests::ServerFault::drop}) == net::HttpFailure::reset);
  CHECK(failure({.fault = tests::ServerFault::garbage}) == net::HttpFailure::malformed);
  CHECK(failure({.status = 101,
                 .headers = {{"Upgrade", "websocket"},
                             {"Connection", "Upgrade"},
                             {"Sec-WebSocket-Accept", "wrong"}},
                 .upgrade = [](tests::ServerPeer&) {}}) == net::HttpFailure::malformed);
}

TEST_CASE("A stop ends the handshake", "[websocket]") {
  Bench bench(echo);
  bench.server.on("GET", "/ws", {{.fault = tests::ServerFault::hang}});
  std::stop_source source;
  const std::jthread stopper([&] {
    static_cast<void>(bench.server.wait_for("GET", "/ws", 1));
    source.request_stop();
  });
  CHECK_THROWS_AS(bench.connect(source.get_token()), support::Cancelled);
}

TEST_CASE("A connection cut at any byte is an end, and never a false message", "[websocket]") {
  const std::string stream = to_bytes({tests::k_ws_binary, true, "first"}) +
                             to_bytes({tests::k_ws_ping, true, "p"}) +
                             to_bytes({tests::k_ws_binary, true, std::string(200, 'x')});
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    Bench bench([&](WebSocketPeer& peer) { peer.write(stream.substr(0, cut)); });
    const net::WebSocketAnswer answer = bench.connect();
    std::vector<std::string> whole;
    while (true) {
      const Message message = next_message(*answer.socket);
      if (message.end) {
        CHECK_FALSE(message.end->empty());
        break;
      }
      whole.push_back(message.bytes);
    }
    CHECK(whole.size() == (cut < 7 ? 0U : cut < stream.size() ? 1U : 2U));
    if (!whole.empty()) CHECK(whole[0] == "first");
  }
}

TEST_CASE("A close of the server has its words", "[websocket]") {
  Bench bench([](WebSocketPeer& peer) {
    peer.close(1011, "internal trouble");
    peer.read();
  });
  const net::WebSocketAnswer answer = bench.connect();
  CHECK(next_message(*answer.socket).end == "closed with code 1011: internal trouble");
  CHECK(answer.socket->write("x").state == State::closed);
}

TEST_CASE("Frames that break the rules end the connection", "[websocket]") {
  const std::string bad = GENERATE(std::string("\xF2\x01x"), std::string("\x83\x01x"),
                                   to_bytes({tests::k_ws_ping, true, std::string(200, 'x')}),
                                   std::string("\x82\x81\x01\x02\x03\x04x"));
  Bench bench([&](WebSocketPeer& peer) {
    peer.write(bad);
    peer.read();
  });
  const net::WebSocketAnswer answer = bench.connect();
  const Message message = next_message(*answer.socket);
  REQUIRE(message.end.has_value());
  CHECK_FALSE(message.end->empty());
}

TEST_CASE("The destructor says goodbye", "[websocket]") {
  std::optional<WebSocketFrame> last;
  {
    Bench bench([&](WebSocketPeer& peer) { last = peer.read(); });
    bench.connect();
  }
  REQUIRE(last.has_value());
  CHECK(last->opcode == tests::k_ws_close);
}

TEST_CASE("Everything goes through a proxy's tunnel", "[proxy]") {
  const bool tls = GENERATE(false, true);
  HttpServer proxy;
  proxy.on("CONNECT", "*", tests::tunnel_reply);
  const tests::Authority authority("authority");
  HttpServer::Options options;
  if (tls) options.tls = HttpServer::Tls{authority.server(), {}};
  Bench bench(echo, options);
  bench.server.on("GET", "/plain", {{.headers = {{"X", "y"}}, .body = "yes"}});
  bench.client.tls.ca_pem = authority.ca_pem();
  bench.client.proxy = support::Secret("http://me:pw@" + proxy.url().substr(7));

  check_echo(*bench.connect().socket);
  const auto http = net::make_http_client(bench.client);
  CHECK(http->send({.target = "/plain"}, {}).body == "yes");
  CHECK(proxy.requests().size() == 2);
  CHECK(proxy.requests()[0].header("Proxy-Authorization") == "Basic bWU6cHc=");
  CHECK(bench.server.requests()[0].header("Proxy-Authorization").empty());

  const auto failure = [&](int status) {
    proxy.on("CONNECT", "*", {{.status = status}});
    try {
      net::make_http_client(bench.client)->send({.target = "/plain"}, {});
    } catch (const net::HttpError& error) {
      return error.failure();
    }
    FAIL("answered");
    return net::HttpFailure::tls;
  };
  CHECK(failure(407) == net::HttpFailure::proxy);
  CHECK(failure(403) == net::HttpFailure::proxy);
  CHECK(failure(503) == net::HttpFailure::cannot_connect);
}

TEST_CASE("The certificate may be for another name than the URL's", "[tls]") {
  const tests::Authority authority("authority");
  HttpServer::Options options;
  options.tls = HttpServer::Tls{authority.server("DNS:kubernetes"), {}};
  Bench bench(echo, options);
  bench.server.on("GET", "/plain", {{.body = "yes"}});
  bench.client.tls.ca_pem = authority.ca_pem();
  CHECK_THROWS_AS(net::make_http_client(bench.client)->send({.target = "/plain"}, {}),
                  net::HttpError);
  bench.client.tls.server_name = "kubernetes";
  CHECK(net::make_http_client(bench.client)->send({.target = "/plain"}, {}).body == "yes");
  CHECK("https://" + bench.server.requests().back().header("Host") == bench.server.url());
  check_echo(*bench.connect().socket);
}

TEST_CASE("A request past its deadline has timed out", "[deadline]") {
  HttpServer server;
  server.on("GET", "/", {{.fault = tests::ServerFault::hang}});
  const auto http = net::make_http_client({.base_url = server.url(), .unix_socket = {}, .tls = {}});
  try {
    http->send({.target = "/",
                .deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20)},
               {});
    FAIL("answered");
  } catch (const net::HttpError& error) {
    CHECK(error.failure() == net::HttpFailure::timeout);
  }
}
