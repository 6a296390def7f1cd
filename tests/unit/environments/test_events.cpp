#include "executor/environments/events.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server/http_server.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

using namespace berth;
using namespace berth::environments;

namespace {

class Recorded final : public support::Console {
 public:
  void line(std::string_view text) override { lines.emplace_back(text); }
  void warning(std::string_view text) override { warnings.emplace_back(text); }
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
};

Event event() {
  Event one{.type = EventType::refused, .at = 1795262400, .rule = "freeze", .text = "closed"};
  one.deployment.environment = "production";
  one.deployment.user = "release-bot";
  one.deployment.workloads = {{.kind = "Job", .name = "x", .manifest = "{}"}};
  return one;
}

EventOptions quick(settings::EventTargets targets) {
  return {.targets = std::move(targets), .first_wait = std::chrono::milliseconds(1)};
}

}  // namespace

TEST_CASE("events: one line of JSON, without manifests") {
  const std::string line = to_line(event());
  CHECK(line.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(line);
  CHECK(json["event"] == "refused");
  CHECK(json["at"] == "2026-11-21T12:00:00Z");
  CHECK(json["environment"] == "production");
  CHECK(json["rule"] == "freeze");
  CHECK(json["text"] == "closed");
  CHECK(json["deployment"]["user"] == "release-bot");
  CHECK_FALSE(json["deployment"]["workloads"][0].contains("manifest"));
}

TEST_CASE("events: each is a line of the file") {
  tests::TempDir directory;
  Recorded console;
  const auto events = make_events({.targets = {.file = directory.path() / "e"}}, console, {});
  events->tell(event());
  events->tell(event());
  CHECK(support::read_file(directory.path() / "e", 100000) ==
        to_line(event()) + "\n" + to_line(event()) + "\n");
  CHECK(console.warnings.empty());
}

TEST_CASE("events: posted, with the token of now") {
  tests::TempDir directory;
  tests::HttpServer server;
  server.on("POST", "/hook", {{.status = 204}});
  std::ofstream(directory.path() / "token") << "s3cret\n";
  Recorded console;
  make_events(
      quick({.webhook = server.url() + "/hook?to=x", .token_file = directory.path() / "token"}),
      console, {})
      ->tell(event());
  CHECK(console.warnings.empty());
  const auto request = server.requests().at(0);
  CHECK(request.target == "/hook?to=x");
  CHECK(request.body == to_line(event()));
  CHECK(request.header("Content-Type") == "application/json");
  CHECK(request.header("Authorization") == "Bearer s3cret");
}

TEST_CASE("events: tried three times where that may help") {
  tests::HttpServer server;
  server.on("POST", "/again",
            {{.status = 503}, {.fault = tests::ServerFault::drop}, {.status = 200}});
  server.on("POST", "/never", {{.status = 500, .body = "broken"}});
  server.on("POST", "/no", {{.status = 404, .body = "who?"}});
  Recorded console;
  const auto tell = [&](const std::string& path) {
    make_events(quick({.webhook = server.url() + path}), console, {})->tell(event());
    return server.count("POST", path);
  };
  CHECK(tell("/again") == 3);
  CHECK(console.warnings.empty());
  CHECK(tell("/never") == 3);
  REQUIRE(console.warnings.size() == 1);
  CHECK_THAT(console.warnings[0], EndsWith("status 500: broken (tried 3 times)"));
  CHECK(tell("/no") == 1);
  CHECK_THAT(console.warnings.at(1), EndsWith("status 404: who?"));
}

TEST_CASE("events: nothing that goes wrong is more than a warning") {
  tests::TempDir directory;
  Recorded console;
  make_events(quick({.file = directory.path() / "no" / "such" / "folder",
                     .webhook = "http://127.0.0.1:1/secret-path",
                     .token_file = directory.path() / "none"}),
              console, {})
      ->tell(event());
  REQUIRE(console.warnings.size() == 2);
  CHECK_THAT(console.warnings[1], !ContainsSubstring("secret-path"));
}
