#include "executor/net/http.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/http_server.hpp"

using namespace berth;
using tests::Authority;
using tests::HttpServer;

namespace {

struct Result {
  int status = 0;
  std::optional<net::HttpFailure> failure;
  std::string text;
};

Result get(const std::string& url, net::TlsOptions tls) {
  const auto client =
      net::make_http_client({.base_url = url, .unix_socket = {}, .tls = std::move(tls)});
  try {
    return {.status = client->send({.target = "/_ping"}, {}).status, .failure = {}, .text = {}};
  } catch (const net::HttpError& error) {
    return {.status = 0, .failure = error.failure(), .text = error.what()};
  }
}

net::TlsOptions tls_with(const std::string& ca_pem, const tests::Certificate& client) {
  return {.ca_pem = ca_pem,
          .certificate_pem = client.certificate_pem,
          .key_pem = support::Secret(client.key_pem)};
}

}  // namespace

TEST_CASE("TLS with certificates on both sides, and each way it can be wrong") {
  const Authority authority("authority");
  const Authority stranger("stranger");
  const tests::Certificate client = authority.client("berth");
  HttpServer server({.tls = HttpServer::Tls{authority.server(), authority.ca_pem()}});
  server.on("GET", "/_ping", {{.body = "OK"}});

  SECTION("right") {
    const Result result = get(server.url(), tls_with(authority.ca_pem(), client));
    INFO(result.text);
    CHECK(result.status == 200);
  }
  SECTION("our CA did not sign the server") {
    CHECK(get(server.url(), tls_with(stranger.ca_pem(), client)).failure ==
          net::HttpFailure::tls_untrusted);
  }
  SECTION("unless nobody wants to know") {
    net::TlsOptions tls = tls_with(stranger.ca_pem(), client);
    tls.verify = false;
    CHECK(get(server.url(), tls).status == 200);
  }
  SECTION("the server's name is another") {
    const HttpServer other(
        {.tls = HttpServer::Tls{authority.server("DNS:engine.example.com"), authority.ca_pem()}});
    CHECK(get(other.url(), tls_with(authority.ca_pem(), client)).failure ==
          net::HttpFailure::tls_untrusted);
  }
  SECTION("our certificate is a stranger's") {
    const Result result = get(server.url(), tls_with(authority.ca_pem(), stranger.client("x")));
    INFO(result.text);
    CHECK(result.failure == net::HttpFailure::tls_rejected);
  }
  SECTION("we show no certificate") {
    const Result result =
        get(server.url(), {.ca_pem = authority.ca_pem(), .certificate_pem = {}, .key_pem = {}});
    INFO(result.text);
    CHECK(result.failure == net::HttpFailure::tls_rejected);
  }
  SECTION("our key is not a key") {
    net::TlsOptions tls = tls_with(authority.ca_pem(), client);
    tls.key_pem = support::Secret("not a key");
    const Result result = get(server.url(), tls);
    CHECK(result.failure == net::HttpFailure::tls);
    CHECK_THAT(result.text, !ContainsSubstring("not a key"));
  }
  SECTION("plain HTTP to a TLS port") {
    std::string url = server.url();
    url.replace(0, 5, "http");
    CHECK(get(url, {}).failure.has_value());
  }
}

TEST_CASE("TLS to a port that speaks plain HTTP") {
  HttpServer server;
  std::string url = server.url();
  url.replace(0, 4, "https");
  const Result result = get(url, {});
  INFO(result.text);
  CHECK(result.failure == net::HttpFailure::tls_not_spoken);
}
