#include "executor/docker/engine/address.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>
#include <map>

using namespace berth;

namespace {

using Environment = std::map<std::string, std::string>;

docker::EngineAddress resolve(const docker::ConnectionSettings& settings,
                              Environment environment = {}) {
  return docker::resolve_address(settings, [environment](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
}

struct Certificates : tests::TempDir {
  Certificates() {
    for (const char* name : {"ca", "cert", "key"})
      std::ofstream(path() / (std::string(name) + ".pem")) << name;
  }
};

}  // namespace

TEST_CASE("the engine's address: settings, then DOCKER_HOST, then the default socket") {
  CHECK(resolve({}).host == "unix:///var/run/docker.sock");
  CHECK(resolve({}).http.unix_socket == "/var/run/docker.sock");
  CHECK(resolve({}, {{"DOCKER_HOST", "tcp://a:1"}}).http.base_url == "http://a:1");
  const auto chosen = resolve({.host = "unix:///x.sock"}, {{"DOCKER_HOST", "tcp://a:1"}});
  CHECK(chosen.is_unix());
  CHECK(chosen.http.unix_socket == "/x.sock");
  CHECK_FALSE(resolve({.host = "tcp://a:1"}).is_unix());
}

TEST_CASE("ports and TLS of tcp addresses") {
  const Certificates certificates;
  const std::string folder = certificates.path().string();
  CHECK(resolve({.host = "tcp://engine"}).http.base_url == "http://engine:2375");
  CHECK(resolve({.host = "tcp://engine:99/"}).http.base_url == "http://engine:99");
  CHECK(resolve({.host = "tcp://[::1]"}).http.base_url == "http://[::1]:2375");
  CHECK(resolve({.host = "tcp://[::1]:7"}).http.base_url == "http://[::1]:7");
  CHECK(resolve({.host = "http://engine:7"}).http.base_url == "http://engine:7");

  const auto verified =
      resolve({.host = "tcp://engine", .tls_cert_path = folder, .tls_verify = true});
  CHECK(verified.http.base_url == "https://engine:2376");
  CHECK(verified.http.tls.verify);
  CHECK(verified.http.tls.ca_pem == "ca");
  CHECK(verified.http.tls.certificate_pem == "cert");
  CHECK(verified.http.tls.key_pem.expose() == "key");

  const auto trusting = resolve({.host = "tcp://engine", .tls_cert_path = folder});
  CHECK(trusting.http.base_url == "https://engine:2376");
  CHECK_FALSE(trusting.http.tls.verify);
  CHECK(trusting.http.tls.certificate_pem == "cert");

  const auto system = resolve({.host = "https://engine:1"});
  CHECK(system.http.base_url == "https://engine:1");
  CHECK(system.http.tls.verify);
}

TEST_CASE("the environment's certificates belong to the environment's host") {
  const Certificates certificates;
  const Environment environment{{"DOCKER_HOST", "tcp://engine:2376"},
                                {"DOCKER_CERT_PATH", certificates.path().string()},
                                {"DOCKER_TLS_VERIFY", "1"}};
  const auto address = resolve({}, environment);
  CHECK(address.http.tls.verify);
  CHECK(address.http.tls.ca_pem == "ca");
  CHECK(resolve({.host = "tcp://other:2375"}, environment).http.base_url == "http://other:2375");
  CHECK(resolve({.host = "unix:///x"}, environment).http.tls.ca_pem.empty());
}

TEST_CASE("bad addresses are the operator's and say why") {
  struct Row {
    const char* host;
    const char* why;
  };
  const Row row =
      GENERATE(Row{"engine:2375", "no scheme"}, Row{"ssh://me@host", "'ssh' is not supported"},
               Row{"npipe:////./pipe/docker", "'npipe' is not supported"},
               Row{"unix://relative/path", "begins with '/'"}, Row{"tcp://", "names no host"},
               Row{"tcp://a:0", "1 to 65535"}, Row{"tcp://a:70000", "1 to 65535"},
               Row{"tcp://a:b", "1 to 65535"}, Row{"tcp://a:1/v1", "only a host name"},
               Row{"tcp://u@a:1", "only a host name"});
  INFO(row.host);
  CHECK_THROWS_AS(resolve({.host = row.host}), support::OperatorError);
  CHECK_THROWS_WITH(resolve({.host = row.host}), ContainsSubstring(row.why));
  CHECK_THROWS_WITH(resolve({.host = "unix:///" + std::string(120, 'x')}),
                    ContainsSubstring("107"));
}

TEST_CASE("a missing certificate is named") {
  const tests::TempDir empty;
  CHECK_THROWS_AS(resolve({.host = "tcp://a:1", .tls_cert_path = empty.path().string()}),
                  support::OperatorError);
  CHECK_THROWS_WITH(resolve({.host = "tcp://a:1", .tls_cert_path = empty.path().string()}),
                    ContainsSubstring("cert.pem"));
}
