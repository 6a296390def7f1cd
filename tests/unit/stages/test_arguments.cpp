#include "executor/support/error.hpp"
#include "stages/arguments.hpp"
#include "tests/support/catch.hpp"

#include <vector>

using namespace berth;
using core::Stage;
using stages::Arguments;

namespace {

Arguments parse(Stage stage, const std::vector<const char*>& words) {
  return stages::parse_arguments(stage, words);
}

}  // namespace

TEST_CASE("arguments: the settings file") {
  CHECK(parse(Stage::config, {}) == Arguments{});
  CHECK(parse(Stage::config, {"--settings", "/a"}).settings == "/a");
  CHECK(parse(Stage::cleanup, {"--settings=/a b"}).settings == "/a b");
  CHECK_THROWS_AS(parse(Stage::config, {"--settings"}), support::OperatorError);
  CHECK_THROWS_AS(parse(Stage::config, {"--settings="}), support::OperatorError);
}

TEST_CASE("arguments: run takes the script and the stage that the runner appends") {
  const Arguments all = parse(
      Stage::run, {"--settings", "/a", "--resume=0af1:77", "/tmp/script1/script", "get_sources"});
  CHECK(all.settings == "/a");
  CHECK(all.resume == "0af1:77");
  CHECK(all.script == "/tmp/script1/script");
  CHECK(all.script_stage == "get_sources");
  CHECK_THROWS_WITH(parse(Stage::run, {"/s"}),
                    "wrong arguments of berth-run: a script and a stage are expected, got 1 "
                    "arguments");
  CHECK_THROWS_AS(parse(Stage::run, {"/s", "a", "b"}), support::OperatorError);
}

TEST_CASE("arguments: what is not known is refused") {
  CHECK_THROWS_WITH(parse(Stage::prepare, {"extra"}),
                    "wrong arguments of berth-prepare: 'extra' is not expected");
  CHECK_THROWS_WITH(parse(Stage::prepare, {"--setings=/x"}), ContainsSubstring("'--setings=/x'"));
  CHECK_THROWS_AS(parse(Stage::cleanup, {"--resume=x:1"}), support::OperatorError);
}

TEST_CASE("arguments: version and help ask for nothing else") {
  CHECK(parse(Stage::run, {"--version"}).version);
  CHECK(parse(Stage::run, {"--help"}).help);
  CHECK_THAT(stages::usage(Stage::run), ContainsSubstring("SCRIPT STAGE"));
}
