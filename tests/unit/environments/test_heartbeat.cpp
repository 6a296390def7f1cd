#include "executor/environments/heartbeat.hpp"
#include "executor/support/clock.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <future>

using namespace berth;
using namespace berth::environments;
using namespace std::chrono_literals;

TEST_CASE("heartbeat: silent, but not before its time") {
  tests::TempDir directory;
  const auto file = directory.path() / "new" / "beat";
  CHECK_FALSE(touch_heartbeat(file, 1000));
  make_heartbeat(file, 1000);
  CHECK_FALSE(is_heartbeat_silent(file, 60s, 1060));
  CHECK_FALSE(end_heartbeat_if_silent(file, 60s, 1060));
  CHECK(touch_heartbeat(file, 1060));
  CHECK_FALSE(end_heartbeat_if_silent(file, 60s, 1120));
  CHECK(is_heartbeat_silent(file, 60s, 1121));
  CHECK(end_heartbeat_if_silent(file, 60s, 1121));
  CHECK_FALSE(touch_heartbeat(file, 1121));
  CHECK(end_heartbeat_if_silent(file, 60s, 1121));
  CHECK(is_heartbeat_silent(file, 60s, 1121));
  CHECK_NOTHROW(end_heartbeat(file));
}

TEST_CASE("heartbeat: beats while it lives, and stops what it guards when the lock is gone") {
  tests::TempDir directory;
  const auto file = directory.path() / "beat";
  make_heartbeat(file, 1);
  std::stop_source outer;
  Heartbeat beat(file, outer.get_token(), 1ms);
  CHECK_FALSE(is_heartbeat_silent(file, 60s, support::unix_seconds()));
  CHECK_FALSE(beat.lost());
  std::promise<void> stopped;
  const std::stop_callback tell(beat.token(), [&] { stopped.set_value(); });
  end_heartbeat(file);
  REQUIRE(stopped.get_future().wait_for(20s) == std::future_status::ready);
  CHECK(beat.lost());
  CHECK_FALSE(outer.stop_requested());
}

TEST_CASE("heartbeat: passes a stop on") {
  tests::TempDir directory;
  const auto file = directory.path() / "beat";
  make_heartbeat(file, 1);
  std::stop_source outer;
  const Heartbeat beat(file, outer.get_token(), 1h);
  outer.request_stop();
  CHECK(beat.token().stop_requested());
  CHECK_FALSE(beat.lost());
}

TEST_CASE("heartbeat: a file that is gone from the start") {
  tests::TempDir directory;
  const Heartbeat beat(directory.path() / "beat", {}, 1h);
  CHECK(beat.lost());
  CHECK(beat.token().stop_requested());
}

TEST_CASE("heartbeat: often enough for what it may be silent") {
  CHECK(heartbeat_interval(1020s) == 10s);
  CHECK(heartbeat_interval(4s) == 800ms);
  CHECK(heartbeat_interval(0s) == 100ms);
}

TEST_CASE("heartbeat: those of the dead are removed, of the living not") {
  tests::TempDir directory;
  make_heartbeat(directory.path() / "dead", 1000);
  make_heartbeat(directory.path() / "living", 1500);
  end_old_heartbeats(directory.path(), 600s, 1601);
  CHECK_FALSE(std::filesystem::exists(directory.path() / "dead"));
  CHECK(std::filesystem::exists(directory.path() / "living"));
  CHECK_NOTHROW(end_old_heartbeats(directory.path() / "none", 600s, 1601));
}
