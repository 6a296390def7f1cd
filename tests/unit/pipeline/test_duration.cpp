#include "cli/local/pipeline/duration.hpp"
#include "tests/support/catch.hpp"

using namespace berth::local::pipeline;

namespace {
long seconds(const char* text) {
  const auto duration = parse_duration(text);
  return duration ? static_cast<long>(duration->count()) : -1;
}
}  // namespace

TEST_CASE("times are read in words") {
  CHECK(seconds("42") == 42);
  CHECK(seconds("42 seconds") == 42);
  CHECK(seconds("3 mins 4 sec") == 184);
  CHECK(seconds("2 hrs 20 min") == 8400);
  CHECK(seconds("2h20min") == 8400);
  CHECK(seconds("1h 30m") == 5400);
  CHECK(seconds("1 hour, 5 minutes and 2 seconds") == 3902);
  CHECK(seconds("6 mos 1 day") == 6 * 30 * 86400 + 86400);
  CHECK(seconds("47 yrs 6 mos and 4d") == 47L * 31557600 + 6 * 30 * 86400 + 4 * 86400);
  CHECK(seconds("3 weeks and 2 days") == 23 * 86400);
  CHECK(seconds("1.5 hours") == 5400);
  CHECK(seconds("1 WEEK") == 7 * 86400);
  CHECK(seconds("2:30:00") == 9000);
  CHECK(seconds("10:30") == 630);
}

TEST_CASE("what is no time is refused") {
  for (const char* text : {"", " ", "soon", "1 fortnight", "h", "0", "-1 hour", "1..5 hours",
                           "1 hour ago", "99999999999999999999 years", ":", "1:"}) {
    INFO(text);
    CHECK(seconds(text) == -1);
  }
}
