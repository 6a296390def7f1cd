#include "agent/options.hpp"

#include "tests/support/catch.hpp"

using namespace berth::agent;
using namespace std::chrono_literals;

TEST_CASE("no text means the defaults") {
  const Options options = parse_options("");
  REQUIRE(options == Options{});
  REQUIRE(options.run == "/.berth/run");
  REQUIRE(options.lease == "/.berth/lease");
  REQUIRE(options.deadline == 0);
  REQUIRE(options.orphan == 15min);
  REQUIRE(options.tick == 10s);
}

TEST_CASE("every key is read") {
  const Options options = parse_options(
      "run=/r;lease=/l/x;deadline=1700000000;orphan=60;tick=20;overfill=7;open=/builds:/cache;");
  REQUIRE(options.run == "/r");
  REQUIRE(options.lease == "/l/x");
  REQUIRE(options.deadline == 1700000000);
  REQUIRE(options.orphan == 60s);
  REQUIRE(options.tick == 20ms);
  REQUIRE(options.overfill == 7);
  REQUIRE(options.open == std::vector<std::string>{"/builds", "/cache"});
  REQUIRE(parse_options("orphan=250ms").orphan == 250ms);
}

TEST_CASE("what cannot be read is an error that names the key") {
  const auto [text, key] = GENERATE(table<std::string, std::string>({
      {"run=", "run"},
      {"run=relative", "run"},
      {"lease", "lease"},
      {"deadline=soon", "deadline"},
      {"deadline=-1", "deadline"},
      {"deadline=99999999999999999999", "deadline"},
      {"orphan=5m", "orphan"},
      {"orphan=ms", "orphan"},
      {"tick=0", "tick"},
      {"overfill=1Mi", "overfill"},
      {"open=/a::/b", "open"},
      {"colour=red", "colour"},
  }));
  CAPTURE(text);
  REQUIRE_THROWS_WITH(parse_options(text), ContainsSubstring("BERTH_AGENT: " + key + ": "));
}
