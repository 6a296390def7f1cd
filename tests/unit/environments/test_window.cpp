#include "executor/environments/window.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using namespace berth::environments;
using namespace std::chrono;
using namespace std::chrono_literals;

namespace {

Moment utc(int y, unsigned m, unsigned d, int h, int min = 0, int s = 0) {
  return sys_days(year(y) / month(m) / day(d)) + hours(h) + minutes(min) + seconds(s);
}

settings::Window window(const char* from, const char* to, const char* zone = "UTC") {
  return {.from = *core::parse_cron(from), .to = *core::parse_cron(to), .timezone = zone};
}

const settings::Window k_weekend = window("0 18 * * 5", "0 8 * * 1", "Europe/Berlin");

}  // namespace

TEST_CASE("window: a weekend, to the second") {
  // 2026-11-20 is a Friday; Berlin is one hour ahead of UTC.
  CHECK_FALSE(is_open(k_weekend, utc(2026, 11, 20, 16, 59, 59)));
  CHECK(is_open(k_weekend, utc(2026, 11, 20, 17)));
  CHECK(is_open(k_weekend, utc(2026, 11, 22, 12)));
  CHECK(is_open(k_weekend, utc(2026, 11, 23, 6, 59, 59)));
  CHECK_FALSE(is_open(k_weekend, utc(2026, 11, 23, 7)));
}

TEST_CASE("window: the same in summer, an hour earlier by UTC") {
  CHECK_FALSE(is_open(k_weekend, utc(2026, 7, 3, 15, 59)));
  CHECK(is_open(k_weekend, utc(2026, 7, 3, 16)));
  CHECK_FALSE(is_open(k_weekend, utc(2026, 7, 6, 6)));
}

TEST_CASE("window: over the change to summer time and back it is an hour shorter, or longer") {
  // Friday 2026-03-27 18:00 CET to Monday 2026-03-30 08:00 CEST.
  CHECK(first_behind(k_weekend.from, "Europe/Berlin", utc(2026, 3, 26, 0)) == utc(2026, 3, 27, 17));
  CHECK(first_behind(k_weekend.to, "Europe/Berlin", utc(2026, 3, 27, 17)) == utc(2026, 3, 30, 6));
  // Friday 2026-10-23 18:00 CEST to Monday 2026-10-26 08:00 CET.
  CHECK(first_behind(k_weekend.from, "Europe/Berlin", utc(2026, 10, 22, 0)) ==
        utc(2026, 10, 23, 16));
  CHECK(first_behind(k_weekend.to, "Europe/Berlin", utc(2026, 10, 23, 16)) == utc(2026, 10, 26, 7));
}

TEST_CASE("window: a time that the clocks skip is the moment of the change") {
  const auto cron = *core::parse_cron("30 2 * * *");
  CHECK(first_behind(cron, "Europe/Berlin", utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 1));
  CHECK(last_before(cron, "Europe/Berlin", utc(2026, 3, 29, 12)) == utc(2026, 3, 29, 1));
  const auto nightly = window("30 2 * * *", "30 3 * * *", "Europe/Berlin");
  CHECK_FALSE(is_open(nightly, utc(2026, 3, 29, 0, 59, 59)));
  CHECK(is_open(nightly, utc(2026, 3, 29, 1)));
  CHECK(is_open(nightly, utc(2026, 3, 29, 1, 29)));
  CHECK_FALSE(is_open(nightly, utc(2026, 3, 29, 1, 30)));
}

TEST_CASE("window: a time that the clocks show twice counts once") {
  const auto cron = *core::parse_cron("30 2 * * *");
  CHECK(first_behind(cron, "Europe/Berlin", utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 0, 30));
  CHECK(first_behind(cron, "Europe/Berlin", utc(2026, 10, 25, 0, 30)) == utc(2026, 10, 26, 1, 30));
  // In the second showing of the hour the last time was in the first.
  CHECK(last_before(cron, "Europe/Berlin", utc(2026, 10, 25, 1, 10)) == utc(2026, 10, 25, 0, 30));
  const auto nightly = window("10 2 * * *", "50 2 * * *", "Europe/Berlin");
  CHECK(is_open(nightly, utc(2026, 10, 25, 0, 20)));
  CHECK_FALSE(is_open(nightly, utc(2026, 10, 25, 1, 20)));
}

TEST_CASE("window: zones on both sides of the date line, and a half hour apart") {
  const auto cron = *core::parse_cron("0 0 1 1 *");
  CHECK(first_behind(cron, "Pacific/Kiritimati", utc(2026, 6, 1, 0)) == utc(2026, 12, 31, 10));
  CHECK(first_behind(cron, "Pacific/Pago_Pago", utc(2026, 6, 1, 0)) == utc(2027, 1, 1, 11));
  CHECK(first_behind(cron, "Asia/Kolkata", utc(2026, 6, 1, 0)) == utc(2026, 12, 31, 18, 30));
  // Lord Howe changes by half an hour: 02:00 becomes 02:30 on 2026-10-04, at 15:30 UTC.
  const auto skipped = *core::parse_cron("15 2 * * *");
  CHECK(first_behind(skipped, "Australia/Lord_Howe", utc(2026, 10, 3, 0)) ==
        utc(2026, 10, 3, 15, 30));
}

TEST_CASE("window: leap days, also over a century without one") {
  const auto cron = *core::parse_cron("0 12 29 2 *");
  CHECK(first_behind(cron, "UTC", utc(2024, 2, 29, 12)) == utc(2028, 2, 29, 12));
  CHECK(last_before(cron, "UTC", utc(2028, 2, 29, 11, 59)) == utc(2024, 2, 29, 12));
  CHECK(first_behind(cron, "UTC", utc(2096, 2, 29, 12)) == utc(2104, 2, 29, 12));
}

TEST_CASE("window: two that meet are one") {
  const auto daily = window("0 0 * * 1-5", "0 0 * * 2-6");
  CHECK(is_open(daily, utc(2026, 11, 17, 0)));
  CHECK(is_open(daily, utc(2026, 11, 16, 23, 59, 59)));
  CHECK_FALSE(is_open(daily, utc(2026, 11, 21, 0)));
}

TEST_CASE("windows: nothing said, everything allowed") {
  const Windows seen = look({}, {}, utc(2026, 11, 20, 12));
  CHECK(seen.may_deploy);
  CHECK_FALSE(seen.until.has_value());
}

TEST_CASE("windows: frozen until the end of the freeze") {
  const std::vector freeze{k_weekend};
  const Windows seen = look(freeze, {}, utc(2026, 11, 21, 12));
  CHECK_FALSE(seen.may_deploy);
  CHECK(seen.frozen_by == &freeze[0]);
  CHECK(seen.until == utc(2026, 11, 23, 7));
}

TEST_CASE("windows: outside what is allowed, until it begins") {
  const std::vector allow{window("0 9 * * 1-5", "0 17 * * 1-5")};
  CHECK(look({}, allow, utc(2026, 11, 20, 10)).may_deploy);
  const Windows seen = look({}, allow, utc(2026, 11, 20, 17));
  CHECK_FALSE(seen.may_deploy);
  CHECK(seen.frozen_by == nullptr);
  CHECK(seen.until == utc(2026, 11, 23, 9));
}

TEST_CASE("windows: a freeze beats what is allowed, and ends where that is") {
  const std::vector allow{window("0 9 * * 1-5", "0 17 * * 1-5")};
  const std::vector freeze{window("0 0 20 11 *", "0 12 23 11 *")};
  const Windows seen = look(freeze, allow, utc(2026, 11, 20, 10));
  CHECK_FALSE(seen.may_deploy);
  CHECK(seen.frozen_by == &freeze[0]);
  CHECK(seen.until == utc(2026, 11, 23, 12));
  // The freeze ends at night: the next morning is it.
  const std::vector longer{window("0 0 20 11 *", "0 20 23 11 *")};
  CHECK(look(longer, allow, utc(2026, 11, 20, 10)).until == utc(2026, 11, 24, 9));
}

TEST_CASE("windows: freezes one behind the other") {
  const std::vector freeze{window("0 0 * * 1", "0 0 * * 3"), window("0 0 * * 2", "0 0 * * 5")};
  CHECK(look(freeze, {}, utc(2026, 11, 16, 12)).until == utc(2026, 11, 20, 0));
}

TEST_CASE("windows: freezes that leave no room") {
  const std::vector freeze{window("0 0 * * *", "0 13 * * *"), window("0 12 * * *", "0 1 * * *")};
  const Windows seen = look(freeze, {}, utc(2026, 11, 16, 12));
  CHECK_FALSE(seen.may_deploy);
  CHECK_FALSE(seen.until.has_value());
}
