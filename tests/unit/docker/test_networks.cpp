#include "executor/docker/networks.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/engine_fixture.hpp"

#include <nlohmann/json.hpp>

#include <thread>

using namespace berth;
using tests::EngineFixture;

namespace {

/// An engine whose every answer is the same.
class OneAnswer final : public net::HttpClient {
 public:
  OneAnswer(int status, std::string body) : m_status(status), m_body(std::move(body)) {}

  net::HttpResponse send(const net::HttpRequest& request, std::stop_token) override {
    net::HttpResponse response;
    response.status = request.method == "POST" ? m_status : 200;
    response.headers = {{"Api-Version", "1.41"}, {"Ostype", "linux"}};
    response.body = request.method == "POST" ? m_body : "[]";
    return response;
  }
  net::Upgraded upgrade(const net::HttpRequest&, std::chrono::steady_clock::time_point,
                        std::stop_token) override {
    throw std::logic_error("not asked for");
  }

 private:
  int m_status;
  std::string m_body;
};

}  // namespace

TEST_CASE("jobs that start at once agree on one shared network") {
  EngineFixture test;
  const auto spec = test.spec("a1");
  std::vector<std::string> ids(4);
  {
    std::vector<std::jthread> jobs;
    for (std::string& id : ids) {
      jobs.emplace_back(
          [&] { id = docker::ensure_shared_network(test.engine, test.state, spec, 0, {}); });
    }
  }
  for (const std::string& id : ids) CHECK(id == ids.front());
  CHECK(test.fake.networks() == std::vector<std::string>{"berth"});
  // Another MTU is another bridge.
  CHECK(docker::ensure_shared_network(test.engine, test.state, spec, 1400, {}) != ids.front());
}

TEST_CASE("jobs without services use the engine's default bridge where that is enough") {
  EngineFixture test;
  const auto spec = test.spec("a1");
  const auto network = [&](const settings::Docker& options) {
    return docker::network_without_services(test.engine, test.state, spec, options, {});
  };
  SECTION("the engine has none") {
    CHECK(network({}) != "bridge");
    CHECK(test.fake.networks() == std::vector<std::string>{"berth"});
  }
  SECTION("the engine has one") {
    test.engine.create_network({{"Name", "bridge"}, {"Labels", nlohmann::json::object()}}, {});
    CHECK(network({}) == "bridge");
    CHECK(test.fake.networks() == std::vector<std::string>{"bridge"});
    settings::Docker isolated;
    isolated.network_isolation = true;
    CHECK(network(isolated) != "bridge");
    CHECK(test.fake.networks() == std::vector<std::string>{"berth", "bridge"});
    settings::Docker narrow;
    narrow.network_mtu = 1400;
    CHECK(network(narrow) != "bridge");
    CHECK(test.fake.networks() == std::vector<std::string>{"berth", "berth-mtu1400", "bridge"});
  }
}

TEST_CASE("a network of that name that is not ours is not joined") {
  EngineFixture test;
  test.engine.create_network({{"Name", "berth"}, {"Labels", {{"owner", "somebody"}}}}, {});
  CHECK_THROWS_AS(docker::ensure_shared_network(test.engine, test.state, test.spec("a1"), 0, {}),
                  support::OperatorError);
}

TEST_CASE("address pools that are used up are the operator's business") {
  const char* answers[] = {
      "{\"message\":\"could not find an available, non-overlapping IPv4 address pool among the "
      "defaults to assign to the network\"}",
      "{\"message\":\"all predefined address pools have been fully subnetted\"}"};
  for (const char* answer : answers) {
    docker::Engine engine(docker::resolve_address({.host = "unix:///nowhere"},
                                                  [](const std::string&) { return std::string(); }),
                          std::make_unique<OneAnswer>(403, answer), {});
    try {
      docker::create_job_network(engine, tests::sample_spec(), "h", 0, {});
      FAIL("not refused");
    } catch (const support::OperatorError& error) {
      CHECK_THAT(error.hint(), ContainsSubstring("default-address-pools"));
    }
  }
}

TEST_CASE("removing a network that is gone is a success") {
  EngineFixture test;
  const auto id = docker::create_job_network(test.engine, test.spec("a1"), "h", 0, {});
  CHECK(docker::remove_network(test.engine, id, {}));
  CHECK_FALSE(docker::remove_network(test.engine, id, {}));
}
