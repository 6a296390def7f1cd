#include "executor/gitlab/config_output.hpp"
#include "tests/support/golden.hpp"

using namespace berth;

TEST_CASE("config output: as the runner reads it") {
  gitlab::ConfigOutput output{
      .builds_dir = "/builds", .cache_dir = "/cache", .driver_version = "1.2.3"};
  tests::check_golden("config/minimal.json", gitlab::to_json(output) + "\n");
  output.hostname = "runner \"one\"";
  output.job_env = {{"A", "b\nc"}, {"B", ""}};
  tests::check_golden("config/full.json", gitlab::to_json(output) + "\n");
}

TEST_CASE("config output: bytes that are not UTF-8 do not spoil the answer") {
  const gitlab::ConfigOutput output{
      .builds_dir = "/b", .cache_dir = "/c", .hostname = "a\xff", .driver_version = "1"};
  CHECK_THAT(gitlab::to_json(output), ContainsSubstring("\"hostname\":\"a\xef\xbf\xbd\""));
}
