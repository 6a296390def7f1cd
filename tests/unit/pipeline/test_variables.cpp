#include "cli/local/pipeline/variables.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;
using namespace berth::local::pipeline;
using tests::value_in;
using tests::variable;

TEST_CASE("variables are expanded after those they name") {
  const auto done =
      sort_and_expand({variable("A", "$B-a"), variable("B", "${C}-b"), variable("C", "c")});
  CHECK(done.circle.empty());
  CHECK(value_in(done.variables, "A") == "c-b-a");
  CHECK(value_in(done.variables, "B") == "c-b");
  REQUIRE(done.variables.size() == 3);
  CHECK(done.variables.front().key == "C");
}

TEST_CASE("for the runner unknown, raw and file references stay as written") {
  core::Variable raw = variable("RAW", "$A");
  raw.raw = true;
  core::Variable file = variable("FILE", "content");
  file.file = true;
  const auto done = sort_and_expand(
      {variable("A", "a"), raw, file, variable("X", "$RAW ${FILE} $UNKNOWN $$A %%A %A%")});
  CHECK(value_in(done.variables, "X") == "$RAW ${FILE} $UNKNOWN $$A %%A a");
  CHECK(value_in(done.variables, "RAW") == "$A");
}

TEST_CASE("inside GitLab they become values or vanish") {
  core::Variable raw = variable("RAW", "$A");
  raw.raw = true;
  const auto done =
      sort_and_expand_here({variable("A", "a"), raw, variable("X", "$RAW-$UNKNOWN-$A")});
  CHECK(value_in(done.variables, "X") == "$A--a");
}

TEST_CASE("of a key that stands twice the last one is referred to") {
  const auto done = sort_and_expand({variable("A", "1"), variable("B", "$A"), variable("A", "2")});
  CHECK(value_in(done.variables, "B") == "2");
  CHECK(value_in(done.variables, "A") == "2");
  CHECK(done.variables.size() == 3);
}

TEST_CASE("circles are found and leave all as it was") {
  const auto done =
      sort_and_expand({variable("A", "$B"), variable("B", "$C"), variable("C", "$A")});
  CHECK(done.circle.size() == 3);
  CHECK(value_in(done.variables, "A") == "$B");
  CHECK(sort_and_expand({variable("A", "$A:x")}).circle.empty());
  CHECK(value_in(sort_and_expand({variable("A", "$A:x")}).variables, "A") == "$A:x");
}

TEST_CASE("a long chain needs no deep stack, and doubling is cut short") {
  std::vector<core::Variable> chain;
  for (int i = 0; i < 50000; ++i) {
    chain.push_back(variable("V" + std::to_string(i), "$V" + std::to_string(i + 1)));
  }
  chain.push_back(variable("V50000", "end"));
  CHECK(value_in(sort_and_expand(chain).variables, "V0") == "end");

  std::vector<core::Variable> doubling{variable("V0", "0123456789")};
  for (int i = 1; i < 40; ++i) {
    const std::string before = "$V" + std::to_string(i - 1);
    doubling.push_back(variable("V" + std::to_string(i), before + before));
  }
  CHECK_FALSE(sort_and_expand(doubling).too_long.empty());
}

TEST_CASE("text is expanded by a list") {
  const core::Variables known({variable("A", "a"), variable("B_1", "$A")});
  CHECK(expand("$A ${A} %A% $B_1 $NOPE. 100% $ ${A", known) == "a a a $A . 100% $ ${A");
}

TEST_CASE("merged variables keep their place") {
  const auto merged = merge_variables({variable("A", "1"), variable("B", "1")},
                                      {variable("C", "2"), variable("A", "2")});
  REQUIRE(merged.size() == 3);
  CHECK(merged[0].key == "A");
  CHECK(merged[0].value == "2");
  CHECK(merged[2].key == "C");
}
