#include "executor/docker/engine/image_pull.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker_engine/fake_engine.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

using namespace berth;
using docker::ImageRequest;
using tests::Bench;
using tests::ServerFault;
using tests::ServerReply;
using tests::ServerRequest;

namespace {

class Lines final : public core::Console {
 public:
  void line(std::string_view text) override { add(std::string(text)); }
  void warning(std::string_view text) override { add("WARNING: " + std::string(text)); }

  bool has(const std::string& text) {
    const std::lock_guard lock(m_mutex);
    return std::ranges::any_of(
        m_all, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }

 private:
  void add(std::string text) {
    const std::lock_guard lock(m_mutex);
    m_all.push_back(std::move(text));
  }
  std::mutex m_mutex;
  std::vector<std::string> m_all;
};

const char* const k_create = "/v1.41/images/create";
const ServerReply k_pulled{
    .body =
        "{\"status\":\"Pull complete\",\"id\":\"layer1\"}\n{\"status\":\"Status: Downloaded\"}\n"};
const ServerReply k_absent{.status = 404, .body = R"({"message":"No such image"})"};
const ServerReply k_present{
    .body =
        R"({"Id":"sha256:1","RepoDigests":["a@sha256:2"],"Os":"linux","Architecture":"amd64"})"};
const ServerReply k_offline{
    .status = 500, .body = R"({"message":"dial tcp 10.0.0.1:443: connect: connection refused"})"};
const ServerReply k_no_host{.status = 500,
                            .body = R"({"message":"dial tcp: lookup registry: no such host"})"};
const ServerReply k_denied{
    .status = 404,
    .body =
        R"({"message":"pull access denied for a, repository does not exist or may require 'docker login'"})"};

struct Pulls : Bench {
  Lines console;
  docker::ImagePullOptions options{
      .budget = std::chrono::seconds(20),
      .backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(2)}};
  std::vector<credentials::RegistryLogin> logins;
  std::atomic<int> loads = 0;

  std::vector<docker::ReadyImage> ensure(const std::vector<ImageRequest>& requests,
                                         std::stop_token stop = {}) {
    return docker::ensure_images(
        engine, requests,
        [this] {
          ++loads;
          return credentials::RegistryLogins(logins);
        },
        console, options, stop);
  }
  std::size_t pulls() const { return server.count("POST", k_create); }
};

ImageRequest want(const std::string& image, std::vector<std::string> policies,
                  const std::string& platform = "") {
  return {.image = image, .platform = platform, .policies = std::move(policies)};
}

}  // namespace

TEST_CASE("always asks the registry, if-not-present only for what is absent, never nobody") {
  Pulls bench;
  bench.server.on("POST", k_create, {k_pulled});
  bench.server.on("GET", "/v1.41/images/a/json", {k_present});
  CHECK(bench.ensure({want("a", {"if-not-present"})}).at(0).info.id == "sha256:1");
  CHECK(bench.ensure({want("a", {"never"})}).at(0).info.id == "sha256:1");
  CHECK(bench.pulls() == 0);
  CHECK(bench.loads == 0);
  bench.ensure({want("a", {"always"})});
  CHECK(bench.pulls() == 1);
  CHECK(bench.server.count("GET", "/v1.41/images/a/json") == 3);
  CHECK(bench.console.has("Pulling docker image a ..."));
  CHECK(bench.console.has("Using docker image sha256:1 for a with digest a@sha256:2 ..."));

  bench.server.on("GET", "/v1.41/images/b/json", {k_absent, k_present});
  bench.ensure({want("b", {"if-not-present"})});
  CHECK(bench.pulls() == 2);
  bench.server.on("GET", "/v1.41/images/c/json", {k_absent});
  CHECK_THROWS_AS(bench.ensure({want("c", {"never"})}), support::JobError);
  CHECK(bench.pulls() == 2);
}

TEST_CASE("an id is never pulled") {
  Pulls bench;
  const std::string id = std::string(64, 'a');
  bench.server.on("GET", "/v1.41/images/*", {k_present});
  bench.ensure({want(id, {"always"}), want("sha256:" + id, {"always"})});
  CHECK(bench.pulls() == 0);
}

TEST_CASE("policies are tried in turn, and the last one's failure counts") {
  Pulls bench;
  bench.server.on("POST", k_create, {k_denied});
  bench.server.on("GET", "/v1.41/images/a/json", {k_present});
  CHECK(bench.ensure({want("a", {"always", "if-not-present"})}).at(0).info.id == "sha256:1");
  CHECK(bench.console.has(
      "WARNING: Failed to pull image with policy \"always\": image: 'a': pull access denied"));
  CHECK(bench.console.has("Attempt #2: Trying \"if-not-present\" pull policy for 'a'"));
  bench.server.on("GET", "/v1.41/images/a/json", {k_absent});
  CHECK_THROWS_WITH(bench.ensure({want("a", {"always", "never"})}),
                    ContainsSubstring("'never' does not pull it"));
  CHECK_THROWS_AS(bench.ensure({want("a", {"sometimes"})}), support::OperatorError);
}

TEST_CASE("who named an image that cannot be had is to blame") {
  Pulls bench;
  bench.server.on("POST", k_create, {k_denied});
  try {
    bench.ensure({want("a", {"always"})});
    FAIL("no error");
  } catch (const support::Error& error) {
    CHECK(error.fault() == support::Fault::job);
    CHECK(error.what() == std::string("image: 'a': pull access denied for a, repository does not "
                                      "exist or may require 'docker login'"));
    CHECK_THAT(error.hint(), ContainsSubstring("DOCKER_AUTH_CONFIG"));
  }
  CHECK(bench.pulls() == 1);
  ImageRequest helper = want("a", {"always"});
  helper.from_settings = true;
  CHECK_THROWS_AS(bench.ensure({helper}), support::OperatorError);
  CHECK_THROWS_AS(bench.ensure({want("NOT:a:name", {"always"})}), support::JobError);
}

TEST_CASE("failures of the network are tried again within the budget, then are nobody's fault") {
  Pulls bench;
  bench.server.on(
      "POST", k_create,
      {k_offline, {.body = "{\"status\":\"x\"}\n{\"error\":\"unexpected EOF\"}\n"}, k_pulled});
  bench.server.on("GET", "/v1.41/images/a/json", {k_present});
  bench.ensure({want("a", {"always"})});
  CHECK(bench.pulls() == 3);
  CHECK(bench.console.has("WARNING: Pulling 'a' failed and is tried again: dial tcp"));

  bench.options.budget = std::chrono::milliseconds(0);
  bench.server.on("POST", k_create, {k_offline});
  try {
    bench.ensure({want("a", {"always"})});
    FAIL("no error");
  } catch (const support::Error& error) {
    CHECK(error.fault() == support::Fault::infrastructure);
    CHECK_THAT(error.what(), ContainsSubstring("connection refused"));
  }
  CHECK(bench.pulls() == 4);
}

TEST_CASE("a registry of an unknown name has a budget of its own, and never a larger one") {
  Pulls bench;
  bench.server.on("POST", k_create, {k_no_host, k_no_host, k_pulled});
  bench.server.on("GET", "/v1.41/images/a/json", {k_present});
  SECTION("tried again within it") {
    bench.ensure({want("a", {"always"})});
    CHECK(bench.pulls() == 3);
  }
  SECTION("used up") {
    bench.options.unknown_host_budget = std::chrono::milliseconds(0);
    CHECK_THROWS_AS(bench.ensure({want("a", {"always"})}), support::Error);
    CHECK(bench.pulls() == 1);
  }
  SECTION("none at all where the settings allow no second try") {
    bench.options.budget = std::chrono::milliseconds(0);
    CHECK_THROWS_AS(bench.ensure({want("a", {"always"})}), support::Error);
    CHECK(bench.pulls() == 1);
  }
}

TEST_CASE("what the registry refuses is final, whatever the budget") {
  Pulls bench;
  const char* const words =
      GENERATE(R"({"message":"Head \"https://r/v2/a/manifests/1\": unauthorized"})",
               R"({"message":"manifest for a not found: manifest unknown: manifest unknown"})");
  bench.server.on("POST", k_create, {ServerReply{.status = 500, .body = words}, k_pulled});
  CHECK_THROWS_AS(bench.ensure({want("a", {"always"})}), support::JobError);
  CHECK(bench.pulls() == 1);
}

TEST_CASE("a login goes with the pull, and the log says where it is from") {
  Pulls bench;
  bench.logins = {{.registry = "r.example.com",
                   .server_address = "r.example.com",
                   .username = "u",
                   .password = support::Secret("S3CRET"),
                   .source = "$DOCKER_AUTH_CONFIG"}};
  bench.server.on("POST", k_create, {k_pulled});
  bench.server.on("GET", "/v1.41/images/*", {k_present});
  bench.ensure({want("r.example.com/a", {"always"}), want("b", {"always"})});
  CHECK(bench.loads == 1);
  CHECK(bench.console.has("Authenticating with credentials from $DOCKER_AUTH_CONFIG"));
  CHECK_FALSE(bench.console.has("S3CRET"));
  for (const ServerRequest& request : bench.server.requests()) {
    if (request.method != "POST") continue;
    const bool ours = request.target.find("r.example.com") != std::string::npos;
    CHECK(request.header("X-Registry-Auth").empty() == !ours);
  }
}

TEST_CASE("an image of another platform counts as absent") {
  Pulls bench;
  bench.server.on("POST", k_create, {k_pulled});
  const ServerReply arm{.body = R"({"Id":"sha256:9","Os":"linux","Architecture":"arm64"})"};
  bench.server.on("GET", "/v1.41/images/a/json", {k_present, arm});
  CHECK(bench.ensure({want("a", {"if-not-present"}, "linux/arm64/v8")}).at(0).info.id ==
        "sha256:9");
  CHECK(bench.pulls() == 1);
  CHECK(bench.server.requests().at(2).target.ends_with("&platform=linux%2Farm64%2Fv8"));
  bench.server.on("GET", "/v1.41/images/a/json", {k_present});
  CHECK_THROWS_WITH(bench.ensure({want("a", {"always"}, "linux/arm64")}),
                    ContainsSubstring("in the registry for linux/amd64, not for linux/arm64"));
  CHECK_THROWS_WITH(bench.ensure({want("a", {"never"}, "linux/arm64")}),
                    ContainsSubstring("present for linux/amd64, not for linux/arm64"));
}

TEST_CASE("equal requests are one pull, others run at the same time") {
  Pulls bench;
  bench.server.on("GET", "/v1.41/images/*", {k_present});
  // Neither is answered before both are there.
  bench.server.on("POST", k_create, [&](const ServerRequest&) {
    const bool both = bench.server.wait_for("POST", k_create, 2);
    return both ? k_pulled : ServerReply{.status = 500};
  });
  const auto ready =
      bench.ensure({want("a", {"always"}), want("b", {"always"}), want("a", {"always"})});
  CHECK(bench.pulls() == 2);
  REQUIRE(ready.size() == 3);
  CHECK(ready[1].request.image == "b");
  CHECK(ready[2].request.image == "a");
}

TEST_CASE("the first failure stops the other pulls; a stop stops all") {
  Pulls bench;
  bench.server.on("GET", "/v1.41/images/*", {k_absent});
  bench.server.on("POST", k_create, [&](const ServerRequest& request) {
    if (request.target.find("slow") != std::string::npos)
      return ServerReply{.fault = ServerFault::hang};
    bench.server.wait_for("POST", k_create, 2);
    return k_denied;
  });
  CHECK_THROWS_AS(bench.ensure({want("slow", {"always"}), want("bad", {"always"})}),
                  support::JobError);

  std::stop_source stop;
  std::jthread stopper([&] {
    bench.server.wait_for("POST", k_create, 3);
    stop.request_stop();
  });
  CHECK_THROWS_AS(bench.ensure({want("slow", {"always"})}, stop.get_token()), support::Cancelled);
}

TEST_CASE("long pulls tell how far they are") {
  Pulls bench;
  bench.options.progress_interval = std::chrono::milliseconds(0);
  bench.server.on("POST", k_create, {k_pulled});
  bench.server.on("GET", "/v1.41/images/*", {k_present});
  bench.ensure({want("a", {"always"})});
  CHECK(bench.console.has("Pulling a: 1/1 layers"));
}
