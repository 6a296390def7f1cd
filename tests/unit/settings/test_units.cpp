#include "executor/settings/units.hpp"
#include "tests/support/catch.hpp"

using namespace berth::settings;
using std::chrono::seconds;

TEST_CASE("units: sizes") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("67108864") == 67108864);
  CHECK(parse_size("1b") == 1);
  CHECK(parse_size("512m") == 512L << 20);
  CHECK(parse_size("512M") == 512L << 20);
  CHECK(parse_size("512mb") == 512L << 20);
  CHECK(parse_size("512MiB") == 512L << 20);
  CHECK(parse_size("512 MiB") == 512L << 20);
  CHECK(parse_size("1.5g") == 3L << 29);
  CHECK(parse_size("2t") == 2L << 40);
  CHECK(parse_size("1p") == 1L << 50);
  for (const char* text : {"", "m", "-1", "1x", "1mm", "1bb", "1 2", "1..2", "1e9", "inf", "nan",
                           "0x10", "9999999p", "1  m", "1m ", "."}) {
    INFO(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("units: durations") {
  CHECK(parse_duration("300") == seconds(300));
  CHECK(parse_duration("-1") == seconds(-1));
  CHECK(parse_duration("5m") == seconds(300));
  CHECK(parse_duration("1h30m") == seconds(5400));
  CHECK(parse_duration("2d1s") == seconds(172801));
  CHECK(parse_duration("0s") == seconds(0));
  for (const char* text : {"", "m", "5 m", "5x", "1m1h", "1m1m", "1.5h", "5m3", "-5m", "1ms",
                           "99999999999999999999", "99999999999d", "+5"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("units: processors") {
  CHECK(parse_cpus("2") == 2'000'000'000);
  CHECK(parse_cpus("0.5") == 500'000'000);
  CHECK(parse_cpus("1/3") == 333'333'333);
  CHECK(parse_cpus(".25") == 250'000'000);
  for (const char* text :
       {"", "0", "0.0", "-1", "1/0", "1/", "/2", "two", "1e3", "99999999999999"}) {
    INFO(text);
    CHECK_FALSE(parse_cpus(text).has_value());
  }
}
