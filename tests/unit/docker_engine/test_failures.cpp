#include "executor/docker/engine/failures.hpp"
#include "tests/support/catch.hpp"

#include <cerrno>

using namespace berth;
using docker::PullFailure;
using support::Fault;

namespace {

const docker::EngineAddress k_address{
    .host = "unix:///x.sock", .http = {.base_url = "http://docker", .unix_socket = "/x.sock"}};

}  // namespace

TEST_CASE("an engine's refusal keeps its words and its status") {
  const auto error =
      docker::refused(k_address, "start container 'a'",
                      docker::read_complaint(404, R"({"message":"No such container: a"})"));
  CHECK(error.what() ==
        std::string("docker engine at unix:///x.sock: start container 'a': No such container: a"));
  CHECK(error.not_found());
  CHECK(error.engine_text() == "No such container: a");
  CHECK(error.fault() == Fault::infrastructure);

  CHECK(docker::refused(k_address, "x", {403, "authorization denied by plugin"}).fault() ==
        Fault::operator_);
  CHECK_THAT(docker::refused(
                 k_address, "x",
                 {400, "client version 1.47 is too old. Minimum supported API version is 1.50"})
                 .hint(),
             ContainsSubstring("other versions"));
  CHECK_THAT(docker::refused(
                 k_address, "ping",
                 docker::read_complaint(400, "Client sent an HTTP request to an HTTPS server.\n"))
                 .hint(),
             ContainsSubstring("TLS"));
}

TEST_CASE("complaints are one line, whatever their body is") {
  CHECK(docker::read_complaint(500, "{\"message\":\"a\\n\\tb\\u0007\"}").text == "a b");
  CHECK(docker::read_complaint(502, "<html>\n bad  gateway</html>").text ==
        "<html> bad gateway</html>");
  CHECK(docker::read_complaint(500, "").text == "status 500");
  CHECK(docker::read_complaint(500, "{}").text == "{}");
  CHECK(docker::read_complaint(500, R"({"message":7})").text == R"({"message":7})");
  CHECK(docker::read_complaint(500, std::string(600, 'x')).text.size() == 503);
}

TEST_CASE("what Podman calls 500 becomes the status it means") {
  const auto status = [](const char* cause) {
    return docker::read_complaint(
               500, std::string(R"({"cause":")") + cause + R"(","message":"m","response":500})")
        .status;
  };
  CHECK(status("no such container") == 404);
  CHECK(status("network not found") == 404);
  CHECK(status("that name is already in use") == 409);
  CHECK(status("container state improper") == 409);
  CHECK(status("volume is being used") == 409);
  CHECK(status("disk on fire") == 500);
  CHECK(docker::read_complaint(403, R"({"cause":"no such container","message":"m"})").status ==
        403);
}

TEST_CASE("an engine that cannot be reached: whose fault, and what to look at") {
  using net::HttpError;
  using net::HttpFailure;
  struct Row {
    HttpError error;
    Fault first;
    const char* text;
    const char* hint;
  };
  const std::vector<Row> rows = {
      {{HttpFailure::cannot_connect, "No such file or directory", ENOENT},
       Fault::operator_,
       "cannot connect: No such file",
       "is the engine running"},
      {{HttpFailure::cannot_connect, "Permission denied", EACCES},
       Fault::operator_,
       "Permission denied",
       "socket's group"},
      {{HttpFailure::cannot_resolve, "Could not resolve host"},
       Fault::operator_,
       "resolve",
       "host name"},
      {{HttpFailure::tls_untrusted, "self signed"}, Fault::operator_, "not trusted", "ca.pem"},
      {{HttpFailure::tls_rejected, "alert certificate required"},
       Fault::operator_,
       "refuses our client certificate",
       "--tlscacert"},
      {{HttpFailure::tls_not_spoken, "wrong version number"},
       Fault::operator_,
       "does not speak TLS",
       "tls_cert_path"},
      {{HttpFailure::tls, "bad key"}, Fault::operator_, "TLS: bad key", "cert.pem"},
      {{HttpFailure::timeout, "no answer in time"},
       Fault::infrastructure,
       "no answer",
       "does not answer"},
      {{HttpFailure::reset, "Recv failure"}, Fault::infrastructure, "Recv", "restarted"},
      {{HttpFailure::malformed, "HTTP/0.9"}, Fault::operator_, "not an engine's", "Docker engine"}};
  for (const Row& row : rows) {
    INFO(row.error.what());
    const auto fresh = docker::unreachable(k_address, "ping", row.error, /*known=*/false);
    CHECK(fresh.fault() == row.first);
    CHECK_THAT(fresh.what(), StartsWith("docker engine at unix:///x.sock: ping: "));
    CHECK_THAT(fresh.what(), ContainsSubstring(row.text));
    CHECK_THAT(fresh.hint(), ContainsSubstring(row.hint));
    CHECK(docker::unreachable(k_address, "ping", row.error, /*known=*/true).fault() ==
          Fault::infrastructure);
  }
}

TEST_CASE("what a pull's error text means") {
  struct Row {
    int status;
    const char* text;
    PullFailure kind;
    Fault fault;
  };
  // Texts as Docker 20.10 to 28 and Podman write them.
  const Row row = GENERATE(
      Row{404,
          "pull access denied for nope/nope, repository does not exist or may require 'docker "
          "login': denied: requested access to the resource is denied",
          PullFailure::denied, Fault::job},
      Row{500,
          "Head \"https://registry/v2/a/manifests/1\": unauthorized: HTTP Basic: Access denied",
          PullFailure::denied, Fault::job},
      Row{500, "Get \"https://registry/v2/\": no basic auth credentials", PullFailure::denied,
          Fault::job},
      Row{404, "manifest for debian:nope not found: manifest unknown: manifest unknown",
          PullFailure::missing, Fault::job},
      Row{404, "no matching manifest for linux/s390x in the manifest list entries",
          PullFailure::missing, Fault::job},
      Row{400, "invalid reference format: repository name must be lowercase", PullFailure::missing,
          Fault::job},
      Row{500,
          "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on "
          "10.255.255.53:53: no such host",
          PullFailure::no_host, Fault::infrastructure},
      Row{500, "Get \"https://10.89.0.1:1/v2/\": dial tcp 10.89.0.1:1: connect: connection refused",
          PullFailure::network, Fault::infrastructure},
      Row{500, "Get \"https://r/v2/\": net/http: TLS handshake timeout", PullFailure::network,
          Fault::infrastructure},
      Row{500,
          "Get \"https://r/v2/\": write tcp 10.89.0.2:56670->192.0.2.2:35157: write: broken pipe",
          PullFailure::network, Fault::infrastructure},
      Row{0, "unexpected EOF", PullFailure::network, Fault::infrastructure},
      Row{0, "received unexpected HTTP status: 503 Service Unavailable", PullFailure::network,
          Fault::infrastructure},
      Row{500, "toomanyrequests: You have reached your pull rate limit.", PullFailure::network,
          Fault::infrastructure},
      Row{500, "Get \"https://r/v2/\": x509: certificate signed by unknown authority",
          PullFailure::other, Fault::operator_},
      Row{500, "Get \"https://r/v2/\": http: server gave HTTP response to HTTPS client",
          PullFailure::other, Fault::operator_},
      Row{0, "failed to register layer: write /x: no space left on device", PullFailure::other,
          Fault::infrastructure});
  INFO(row.text);
  const docker::PullVerdict verdict = docker::classify_pull_failure(row.status, row.text);
  CHECK(verdict.kind == row.kind);
  CHECK(verdict.fault == row.fault);
}
