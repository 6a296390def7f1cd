#include "executor/core/expand.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;

namespace {

// What Go 1.2x prints for os.Expand(text, func(n string) string { return "<" + n + ">" }).
struct Case {
  std::string text;
  std::string expected;
};

}  // namespace

TEST_CASE("expand: Go's syntax, good and bad") {
  const std::vector<Case> cases{
      {"", ""},
      {"plain", "plain"},
      {"$A", "<A>"},
      {"${A}", "<A>"},
      {"$A_1-x", "<A_1>-x"},
      {"a$A$B", "a<A><B>"},
      {"$", "$"},
      {"a$", "a$"},
      {"$$", "<$>"},
      {"$$A", "<$>A"},
      {"${$}", "<$>"},
      {"$1$22", "<1><2>2"},
      {"${12}", "<12>"},
      {"$*$#$@$!$?$-", "<*><#><@><!><?><->"},
      {"${", ""},
      {"${A", "A"},
      {"${}", ""},
      {"${}x", "x"},
      {"${*}", "<*>"},
      {"${A b}", "<A b>"},
      {"$ x", "$ x"},
      {"$.x", "$.x"},
      {"%A%", "%A%"},
      {"$\xc3\xa4", "$\xc3\xa4"},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    CHECK(expand(one.text, [](std::string_view name) { return "<" + std::string(name) + ">"; }) ==
          one.expected);
  }
}

TEST_CASE("expand: with the runner's variables") {
  Variables variables;
  variables.set({.key = "RUNNER_TEMP_PROJECT_DIR", .value = "/builds/g/p.tmp"});
  variables.set({.key = "A", .value = "first"});
  variables.set({.key = "A", .value = "last $B"});
  variables.set({.key = "F", .value = "content", .file = true});
  variables.set({.key = "1", .value = "one"});
  variables.set({.key = "-", .value = "dash"});
  CHECK(expand("$A", variables) == "last $B");  // one pass
  CHECK(expand("$F", variables) == "/builds/g/p.tmp/F");
  CHECK(expand("${F}_X", variables) == "/builds/g/p.tmp/F_X");
  CHECK(expand("[$NONE]", variables) == "[]");
  CHECK(expand("$$A", variables) == "$A");
  CHECK(expand("[$1$*$-]", variables) == "[]");
}
