#include "executor/settings/timezone.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using namespace std::chrono;
using namespace std::chrono_literals;

namespace {

constexpr const char* k_berlin = "Europe/Berlin";

sys_seconds utc(int y, unsigned m, unsigned d, int h, int min) {
  return sys_days(year(y) / month(m) / day(d)) + hours(h) + minutes(min);
}

settings::LocalSeconds shown(int y, unsigned m, unsigned d, int h, int min) {
  return local_days(year(y) / month(m) / day(d)) + hours(h) + minutes(min);
}

}  // namespace

TEST_CASE("timezone: which there are") {
  CHECK(settings::zone_valid("UTC"));
  CHECK(settings::zone_valid(k_berlin));
  CHECK(settings::zone_valid("America/Argentina/Buenos_Aires"));
  for (const char* name : {"", "Mars/Olympus", "europe/berlin", "../../../etc/passwd", "+01:00"}) {
    INFO(name);
    CHECK_FALSE(settings::zone_valid(name));
  }
  CHECK_THROWS_AS(settings::to_local("Mars/Olympus", utc(2026, 1, 1, 0, 0)),
                  support::OperatorError);
}

TEST_CASE("timezone: summer and winter") {
  CHECK(settings::to_local(k_berlin, utc(2026, 7, 1, 12, 0)) == shown(2026, 7, 1, 14, 0));
  CHECK(settings::to_local(k_berlin, utc(2026, 12, 1, 12, 0)) == shown(2026, 12, 1, 13, 0));
  CHECK(settings::from_local(k_berlin, shown(2026, 7, 1, 14, 0)) == utc(2026, 7, 1, 12, 0));
  CHECK(settings::from_local("Asia/Kolkata", shown(2026, 7, 1, 5, 30)) == utc(2026, 7, 1, 0, 0));
  CHECK(settings::in_zone(k_berlin, utc(2026, 11, 23, 7, 0)) == "Mon 2026-11-23 08:00 CET");
}

TEST_CASE("timezone: an hour that clocks skip is the moment they skip it") {
  // 2026-03-29: 02:00 becomes 03:00 in Berlin, at 01:00 UTC.
  CHECK(settings::from_local(k_berlin, shown(2026, 3, 29, 2, 30)) == utc(2026, 3, 29, 1, 0));
  CHECK(settings::from_local(k_berlin, shown(2026, 3, 29, 1, 59)) == utc(2026, 3, 29, 0, 59));
  CHECK(settings::from_local(k_berlin, shown(2026, 3, 29, 3, 0)) == utc(2026, 3, 29, 1, 0));
}

TEST_CASE("timezone: an hour that clocks show twice is the first") {
  // 2026-10-25: 03:00 becomes 02:00 in Berlin, at 01:00 UTC.
  CHECK(settings::from_local(k_berlin, shown(2026, 10, 25, 2, 30)) == utc(2026, 10, 25, 0, 30));
  CHECK(settings::to_local(k_berlin, utc(2026, 10, 25, 1, 30)) == shown(2026, 10, 25, 2, 30));
}
