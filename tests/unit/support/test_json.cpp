#include "executor/support/json.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace berth::support;

TEST_CASE("json: an error gives the place and never the text") {
  CHECK_THROWS_WITH(parse_json("{\n \"token\": secret}", "r.json"),
                    "not valid JSON: 'r.json': line 2, column 11: unexpected character");
  CHECK_THROWS_WITH(parse_json("{\"a\": [1,", "r.json"),
                    "not valid JSON: 'r.json': line 1, column 10: it ends too early");
  CHECK_THROWS_WITH(parse_json("", "r.json"),
                    "not valid JSON: 'r.json': line 1, column 1: it ends too early");
  CHECK_THROWS_AS(parse_json("\"\xff\"", "r.json"), SystemError);
  CHECK_THROWS_AS(parse_json("{} {}", "r.json"), SystemError);
  CHECK_THROWS_WITH(parse_json("[29e99999]", "r.json"),
                    "not valid JSON: 'r.json': a number is out of range");
}

TEST_CASE("json: a wrong type is named with its place, without its value") {
  const auto root = parse_json(R"({"a": [{"b": "secret"}]})", "x");
  try {
    root["a"][0]["b"].get<int>();
    FAIL("no exception");
  } catch (const nlohmann::json::exception& error) {
    CHECK(std::string(json_error(error, "x").what()) ==
          "unexpected JSON: 'x': (/a/0/b) type must be number, but is string");
  }
}
