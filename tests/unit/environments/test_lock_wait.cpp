#include "executor/environments/file_ledger.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/lock_wait.hpp"
#include "executor/environments/policy.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/environments/fake_clock.hpp"

#include <functional>

using namespace berth;
using namespace berth::environments;
using namespace std::chrono_literals;

namespace {

class Heard final : public support::Console, public Events {
 public:
  void line(std::string_view text) override {
    lines.emplace_back(text);
    if (on_line) on_line();
  }
  void warning(std::string_view text) override { lines.emplace_back(text); }
  void tell(const Event& event) override { events.push_back(event); }
  std::vector<std::string> lines;
  std::vector<Event> events;
  std::function<void()> on_line;
};

struct World {
  World() { make_heartbeat(claim("a").heartbeat, clock.seconds()); }

  Claim claim(const std::string& id) const {
    return {.id = id,
            .user = "release-bot",
            .who = "https://gitlab/" + id,
            .host = "h1",
            .until = clock.seconds() + 3600,
            .heartbeat = (directory.path() / id).native(),
            .silence = 900s};
  }
  Deployment deployment(const std::string& id) const {
    Deployment one;
    one.id = id;
    one.environment = "production";
    return one;
  }
  void wait(const std::string& id, const settings::LockRule& rule = {}) {
    wait_for_lock(context(), rule, claim(id), deployment(id));
  }
  LockWait context() {
    return {.ledger = *ledger,
            .events = heard,
            .console = heard,
            .stop = stop.get_token(),
            .clock = clock,
            .interval = 1ms};
  }

  tests::TempDir directory;
  tests::FakeClock clock;
  std::unique_ptr<Ledger> ledger =
      make_file_ledger({.root = directory.path() / "ledger", .host = "h1"}, clock);
  Heard heard;
  std::stop_source stop;
};

}  // namespace

TEST_CASE("lock wait: free, and taken at once") {
  World world;
  world.wait("a");
  CHECK(world.ledger->lock_state("production").holder->id == "a");
  CHECK(world.heard.lines.empty());
  CHECK(world.heard.events.empty());
}

TEST_CASE("lock wait: says place and holder once, and has it when the other has left") {
  World world;
  world.wait("a");
  world.heard.on_line = [&] { world.ledger->leave("production", "a"); };
  make_heartbeat(world.claim("b").heartbeat, world.clock.seconds());
  world.wait("b");
  CHECK(world.heard.lines ==
        std::vector<std::string>{
            "environment 'production' is in use by https://gitlab/a (release-bot) "
            "since 2026-11-21 12:00 UTC; waiting, place 1 in line"});
  REQUIRE(world.heard.events.size() == 1);
  CHECK(world.heard.events[0].type == EventType::waiting);
  CHECK(world.ledger->lock_state("production").holder->id == "b");
}

TEST_CASE("lock wait: the rule may say not to wait") {
  World world;
  world.wait("a");
  const settings::LockRule rule{.busy = settings::LockRule::Busy::fail};
  CHECK(
      tests::message_of<Refusal>([&] { world.wait("b", rule); }) ==
      "environment 'production' is in use by https://gitlab/a (release-bot) since 2026-11-21 12:00 "
      "UTC; its rule says not to wait");
  CHECK(world.ledger->lock_state("production").waiting.empty());
}

TEST_CASE("lock wait: not for ever") {
  World world;
  world.wait("a");
  world.heard.on_line = [&] { world.clock.pass(60); };
  CHECK_THAT(tests::message_of<Refusal>([&] { world.wait("b", {.wait = 60s}); }),
             EndsWith("waited 60 s, place 1 in line"));
  CHECK(world.ledger->lock_state("production").waiting.empty());
}

TEST_CASE("lock wait: a cancelled job leaves its place") {
  World world;
  world.wait("a");
  world.heard.on_line = [&] { world.stop.request_stop(); };
  CHECK_THROWS_AS(world.wait("b"), support::Cancelled);
  CHECK(world.ledger->lock_state("production").waiting.empty());
}

TEST_CASE("lock wait: a dead holder's deployment is recorded as lost") {
  World world;
  world.wait("a");
  world.ledger->begin(world.deployment("a"));
  world.clock.pass(901);
  world.wait("b");
  CHECK(world.heard.lines ==
        std::vector<std::string>{"environment 'production': the lock of https://gitlab/a was over: "
                                 "its driver is gone"});
  const Deployment one = world.ledger->history("production", 0).at(0);
  CHECK(one.result == Result::lost);
  CHECK(one.cause == "its driver was gone before anybody saw how it ended");
  REQUIRE(world.heard.events.size() == 2);
  CHECK(world.heard.events[0].type == EventType::lock_ended);
  CHECK(world.heard.events[1].type == EventType::lost);
  CHECK(world.heard.events[1].deployment.id == "a");
}
