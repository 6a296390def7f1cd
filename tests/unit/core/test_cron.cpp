#include "executor/core/cron.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;
using std::chrono::year;

namespace {

std::string minutes(const std::string& field) {
  std::string text;
  const auto cron = parse_cron(field + " * * * *");
  for (unsigned i = 0; cron && i < 60; ++i) {
    if (cron->minutes.test(i)) text += (text.empty() ? "" : " ") + std::to_string(i);
  }
  return cron ? text : "none";
}

bool on(const std::string& text, int y, unsigned m, unsigned d) {
  return parse_cron(text)->on(year(y) / std::chrono::month(m) / std::chrono::day(d));
}

}  // namespace

TEST_CASE("cron: numbers, ranges, steps and lists") {
  CHECK(minutes("5") == "5");
  CHECK(minutes("1-4") == "1 2 3 4");
  CHECK(minutes("*/20") == "0 20 40");
  CHECK(minutes("50/5") == "50 55");
  CHECK(minutes("10-20/5") == "10 15 20");
  CHECK(minutes("1,3-4,59") == "1 3 4 59");
}

TEST_CASE("cron: what is no expression") {
  for (const char* text : {"",
                           "* * * *",
                           "* * * * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 13 *",
                           "* * * * 8",
                           "-1 * * * *",
                           "5-1 * * * *",
                           "a * * * *",
                           "*/0 * * * *",
                           "1,, * * * *",
                           "1- * * * *",
                           "1-2-3 * * * *",
                           "*/2/2 * * * *",
                           "* * * jan-foo *",
                           "+5 * * * *",
                           "99999999999999999999 * * * *"}) {
    INFO(text);
    CHECK_FALSE(parse_cron(text).has_value());
  }
}

TEST_CASE("cron: a day that no year has is none") {
  CHECK_FALSE(parse_cron("0 0 31 2 *").has_value());
  CHECK_FALSE(parse_cron("0 0 31 4,6,9,11 *").has_value());
  CHECK(parse_cron("0 0 29 2 *").has_value());
  CHECK(parse_cron("0 0 31 2 mon").has_value());  // Mondays of February
}

TEST_CASE("cron: names in any case, and both Sundays") {
  CHECK(parse_cron("0 0 * JAN,dec Mon-Fri")->months.count() == 2);
  CHECK(parse_cron("0 0 * * Mon-Fri")->weekdays.to_string() == "0111110");
  CHECK(parse_cron("0 0 * * 7")->weekdays == parse_cron("0 0 * * 0")->weekdays);
  CHECK(parse_cron("0 0 * * 5-7")->weekdays.to_string() == "1100001");
}

TEST_CASE("cron: days of month and of week") {
  // 2026-11-20 is a Friday.
  CHECK(on("0 18 * * 5", 2026, 11, 20));
  CHECK_FALSE(on("0 18 * * 5", 2026, 11, 21));
  CHECK(on("0 0 24 12 *", 2026, 12, 24));
  CHECK_FALSE(on("0 0 24 12 *", 2026, 11, 24));
  // Both restricted: either will do.
  CHECK(on("0 0 1 * 5", 2026, 11, 1));
  CHECK(on("0 0 1 * 5", 2026, 11, 20));
  CHECK_FALSE(on("0 0 1 * 5", 2026, 11, 19));
  // A step of all is no restriction (crontab(5)).
  CHECK(on("0 0 */2 * 5", 2026, 11, 13));
  CHECK_FALSE(on("0 0 */2 * 5", 2026, 11, 20));
}
