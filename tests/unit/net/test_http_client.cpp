#include "executor/net/http.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/http_server.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>

using namespace berth;
using tests::HttpServer;
using tests::ServerFault;

namespace {

std::unique_ptr<net::HttpClient> client_of(const HttpServer& server) {
  return net::make_http_client({.base_url = server.url(), .unix_socket = {}, .tls = {}});
}

net::HttpFailure failure_of(net::HttpClient& client, const net::HttpRequest& request) {
  try {
    client.send(request, {});
  } catch (const net::HttpError& error) {
    INFO(error.what());
    return error.failure();
  }
  FAIL("no error");
  return {};
}

}  // namespace

TEST_CASE("a request arrives as it was written and its answer comes back whole") {
  HttpServer server;
  server.on("POST", "/v1.41/containers/create",
            {{.status = 201, .headers = {{"X-Thing", " blank "}}, .body = R"({"Id":"abc"})"}});
  const auto client = client_of(server);
  net::HttpRequest request{.method = "POST",
                           .target = "/v1.41/containers/create?name=a%20b",
                           .headers = {{"Content-Type", "application/json"}},
                           .secret_headers = {{"X-Registry-Auth", support::Secret("s3cret")}},
                           .body = std::string("{\0}", 3)};
  const net::HttpResponse response = client->send(request, {});
  CHECK(response.status == 201);
  CHECK(response.body == R"({"Id":"abc"})");
  CHECK(response.header("x-THING") == "blank");
  CHECK(response.header("absent").empty());

  const auto seen = server.requests().at(0);
  CHECK(seen.target == "/v1.41/containers/create?name=a%20b");
  CHECK(seen.body == std::string("{\0}", 3));
  CHECK(seen.header("content-type") == "application/json");
  CHECK(seen.header("X-Registry-Auth") == "s3cret");
  CHECK_THAT(seen.header("User-Agent"), StartsWith("berth/"));
}

TEST_CASE("who may only go elsewhere connects to nothing here, whatever it is called") {
  HttpServer server;
  server.on("GET", "/x", {{.body = "reached"}});
  const std::string port = server.url().substr(server.url().rfind(':'));
  for (const char* host :
       {"127.0.0.1", "localhost", "127.1", "2130706433", "0", "[::1]", "[::ffff:127.0.0.1]"}) {
    INFO(host);
    const std::string url = std::string("http://") + host + port;
    const auto choosy =
        net::make_http_client({.base_url = url, .unix_socket = {}, .tls = {}, .elsewhere = true});
    CHECK(failure_of(*choosy, {.target = "/x"}) == net::HttpFailure::this_machine);
  }
  CHECK(server.connections() == 0);
  CHECK(client_of(server)->send({.target = "/x"}, {}).body == "reached");
  // The proxy looks the name up, and is the operator's.
  const auto by_proxy = net::make_http_client({.base_url = "http://localhost:1",
                                               .unix_socket = {},
                                               .tls = {},
                                               .proxy = support::Secret(server.url()),
                                               .elsewhere = true});
  CHECK(failure_of(*by_proxy, {.target = "/x"}) != net::HttpFailure::this_machine);
  CHECK(server.connections() == 2);
}

TEST_CASE("methods without a body carry none, and HEAD answers headers alone") {
  HttpServer server;
  server.on("HEAD", "/x", {{.headers = {{"X-Stat", "e30="}}, .body = "not sent"}});
  server.on("DELETE", "/x", {{.status = 204}});
  server.on("POST", "/x", {{.status = 204}});
  const auto client = client_of(server);
  const net::HttpResponse head = client->send({.method = "HEAD", .target = "/x"}, {});
  CHECK(head.header("X-Stat") == "e30=");
  CHECK(head.body.empty());
  CHECK(client->send({.method = "DELETE", .target = "/x"}, {}).status == 204);
  CHECK(client->send({.method = "POST", .target = "/x"}, {}).status == 204);
  CHECK(server.requests().at(1).header("Content-Length").empty());
  CHECK(server.requests().at(2).header("Content-Length") == "0");
}

TEST_CASE("connections are used again, whatever the status was") {
  HttpServer server;
  server.on("GET", "/ok", {{.body = "yes"}});
  const auto client = client_of(server);
  for (int i = 0; i < 5; ++i) client->send({.target = i % 2 == 0 ? "/ok" : "/absent"}, {});
  CHECK(server.connections() == 1);
}

TEST_CASE("a request is never made twice behind the caller's back") {
  HttpServer server;
  server.on("POST", "/x", {{.body = "yes"}, {.fault = ServerFault::drop}});
  const auto client = client_of(server);
  CHECK(client->send({.method = "POST", .target = "/x"}, {}).body == "yes");
  // The connection is used again and ends without an answer.
  CHECK(failure_of(*client, {.method = "POST", .target = "/x"}) == net::HttpFailure::reset);
  CHECK(server.count("POST", "/x") == 2);
}

TEST_CASE("a server that goes away over a request may have carried it out") {
  const tests::TempDir dir;
  const auto path = dir.path() / "docker.sock";
  HttpServer server(HttpServer::Options{.unix_socket = path});
  std::atomic<int> asked = 0;
  server.on("POST", "/x", [&](const tests::ServerRequest&) -> tests::ServerReply {
    if (asked++ == 0) return {.body = "yes"};
    std::filesystem::remove(path);
    return {.fault = ServerFault::drop};
  });
  const auto client =
      net::make_http_client({.base_url = "http://docker", .unix_socket = path.string(), .tls = {}});
  CHECK(client->send({.method = "POST", .target = "/x"}, {}).body == "yes");
  // libcurl cannot connect for its second try, which is not what the caller must know.
  CHECK(failure_of(*client, {.method = "POST", .target = "/x"}) == net::HttpFailure::reset);
  CHECK(asked == 2);
}

TEST_CASE("threads share one client, each with a connection of its own") {
  HttpServer server;
  server.on("GET", "/ok", {{.body = "yes"}});
  const auto client = client_of(server);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 25; ++n)
          if (client->send({.target = "/ok"}, {}).body == "yes") ++good;
      });
  }
  CHECK(good == 100);
  CHECK(server.connections() <= 4);
}

TEST_CASE("a unix socket is asked like any other server") {
  const tests::TempDir dir;
  HttpServer server({.unix_socket = dir.path() / "docker.sock"});
  server.on("GET", "/_ping", {{.body = "OK"}});
  const auto client = net::make_http_client({.base_url = "http://docker",
                                             .unix_socket = (dir.path() / "docker.sock").string(),
                                             .tls = {}});
  CHECK(client->send({.target = "/_ping"}, {}).body == "OK");
  CHECK(server.requests().at(0).header("Host") == "docker");
}

TEST_CASE("a socket that is not there and one without permission are told apart") {
  const tests::TempDir dir;
  const auto client = net::make_http_client(
      {.base_url = "http://docker", .unix_socket = (dir.path() / "no.sock").string(), .tls = {}});
  try {
    client->send({.target = "/_ping"}, {});
    FAIL("no error");
  } catch (const net::HttpError& error) {
    CHECK(error.failure() == net::HttpFailure::cannot_connect);
    CHECK(error.system_error() == ENOENT);
    CHECK(error.what() == std::string("No such file or directory"));
  }
  std::ofstream(dir.path() / "file.sock") << "no socket";
  const auto other = net::make_http_client(
      {.base_url = "http://docker", .unix_socket = (dir.path() / "file.sock").string(), .tls = {}});
  try {
    other->send({.target = "/_ping"}, {});
    FAIL("no error");
  } catch (const net::HttpError& error) {
    CHECK(error.system_error() == ECONNREFUSED);
  }
}

TEST_CASE("a body is handed on while it arrives") {
  HttpServer server;
  server.on("POST", "/pull", {{.body = std::string(100000, 'x'), .chunk = 1000}});
  server.on("POST", "/denied", {{.status = 404, .body = "no such image"}});
  const auto client = client_of(server);
  std::size_t bytes = 0;
  net::HttpRequest request{.method = "POST", .target = "/pull"};
  request.on_body = [&](std::string_view piece) {
    bytes += piece.size();
    return true;
  };
  CHECK(client->send(request, {}).body.empty());
  CHECK(bytes == 100000);

  SECTION("an error's body is collected all the same") {
    request.target = "/denied";
    const net::HttpResponse response = client->send(request, {});
    CHECK(response.status == 404);
    CHECK(response.body == "no such image");
    CHECK(bytes == 100000);
  }
  SECTION("the receiver may have had enough") {
    request.on_body = [](std::string_view) { return false; };
    CHECK(client->send(request, {}).status == 200);
    CHECK(client->send({.method = "POST", .target = "/denied"}, {}).status == 404);
  }
  SECTION("its exceptions pass through libcurl") {
    request.on_body = [](std::string_view) -> bool { throw std::domain_error("mine"); };
    CHECK_THROWS_AS(client->send(request, {}), std::domain_error);
  }
}

TEST_CASE("each way a server can fail has its class") {
  HttpServer server;
  const auto client = client_of(server);
  const std::string body(1 << 16, 'b');
  SECTION("closed without an answer") {
    server.on("GET", "/x", {{.fault = ServerFault::drop}});
    CHECK(failure_of(*client, {.target = "/x"}) == net::HttpFailure::reset);
  }
  SECTION("reset in the middle of the body") {
    server.on("GET", "/x", {{.body = body, .fault = ServerFault::reset}});
    CHECK(failure_of(*client, {.target = "/x"}) == net::HttpFailure::reset);
  }
  SECTION("closed in the middle of the body") {
    server.on("GET", "/x", {{.body = body, .fault = ServerFault::truncate}});
    CHECK(failure_of(*client, {.target = "/x"}) == net::HttpFailure::reset);
  }
  SECTION("closed in the middle of a chunked body") {
    server.on("GET", "/x", {{.body = body, .fault = ServerFault::truncate, .chunk = 1000}});
    CHECK(failure_of(*client, {.target = "/x"}) == net::HttpFailure::reset);
  }
  SECTION("silence") {
    server.on("GET", "/x", {{.fault = ServerFault::hang}});
    CHECK(failure_of(*client, {.target = "/x", .silence_timeout = std::chrono::seconds(1)}) ==
          net::HttpFailure::timeout);
  }
  SECTION("no HTTP") {
    server.on("GET", "/x", {{.fault = ServerFault::garbage}});
    CHECK(failure_of(*client, {.target = "/x"}) == net::HttpFailure::malformed);
  }
  SECTION("more than was bargained for") {
    server.on("GET", "/x", {{.body = body}});
    CHECK(failure_of(*client, {.target = "/x", .max_body = 1000}) == net::HttpFailure::malformed);
  }
  // The client lives on.
  server.on("GET", "/fine", {{.body = "fine"}});
  CHECK(client->send({.target = "/fine"}, {}).body == "fine");
}

TEST_CASE("nobody listens") {
  std::string url;
  {
    const HttpServer gone;
    url = gone.url();
  }
  const auto client = net::make_http_client({.base_url = url, .unix_socket = {}, .tls = {}});
  CHECK(failure_of(*client, {.target = "/"}) == net::HttpFailure::cannot_connect);
}

TEST_CASE("a stop ends a call that waits for its answer") {
  HttpServer server;
  server.on("GET", "/slow", {{.fault = ServerFault::hang}});
  const auto client = client_of(server);
  // Without a limit no timer of libcurl's wakes it.
  const net::HttpRequest slow{.target = "/slow", .silence_timeout = std::chrono::seconds(0)};
  std::stop_source stop;
  std::jthread stopper([&] {
    server.wait_for("GET", "/slow", 1);
    stop.request_stop();
  });
  CHECK_THROWS_AS(client->send(slow, stop.get_token()), support::Cancelled);
  CHECK_THROWS_AS(client->send(slow, stop.get_token()), support::Cancelled);
  CHECK(server.count("GET", "/slow") == 1);
}

TEST_CASE("large uploads ask first and arrive whole") {
  HttpServer server;
  server.on("PUT", "/archive", {{.status = 200}});
  std::string tar(3 << 20, '\0');
  for (std::size_t i = 0; i < tar.size(); ++i) tar[i] = static_cast<char>(i * 31);
  const auto client = client_of(server);
  CHECK(client->send({.method = "PUT", .target = "/archive", .body = tar}, {}).status == 200);
  CHECK(server.requests().at(0).body == tar);
}

TEST_CASE("calls are told of, failed ones too, without their query") {
  HttpServer server;
  server.on("GET", "/lost", {{.fault = ServerFault::drop}});
  std::vector<net::HttpCall> calls;
  const auto client = net::make_traced_client(
      client_of(server), [&](const net::HttpCall& call) { calls.push_back(call); });
  client->send({.target = "/images?name=secret"}, {});
  CHECK_THROWS_AS(client->send({.target = "/lost"}, {}), net::HttpError);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].path == "/images");
  CHECK(calls[0].status == 404);
  CHECK(calls[1].method == "GET");
  CHECK(calls[1].status == 0);
}

TEST_CASE("a trace file has one line a call") {
  const tests::TempDir dir;
  const std::string path = (dir.path() / "calls").string();
  const auto trace = net::trace_to_file(path);
  trace({"GET", "/_ping", 200, std::chrono::microseconds(5)});
  trace({"POST", "/containers/create", 201, std::chrono::microseconds(7)});
  std::ifstream file(path);
  std::string pid, method, target, status, micros;
  file >> pid >> method >> target >> status >> micros;
  CHECK(method + target + status + micros == "GET/_ping2005");
  file >> pid >> method >> target >> status >> micros;
  CHECK(method + target + status + micros == "POST/containers/create2017");
}

TEST_CASE("percent encoding leaves only unreserved characters") {
  CHECK(net::percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(net::percent_encode("a b/c:{\"k\":[\"v=1\"]}&\xc3\xa4") ==
        "a%20b%2Fc%3A%7B%22k%22%3A%5B%22v%3D1%22%5D%7D%26%C3%A4");
}
