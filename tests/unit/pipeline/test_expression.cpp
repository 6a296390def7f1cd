#include "cli/local/pipeline/expression.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;
using namespace berth::local::pipeline;

namespace {

const core::Variables k_variables({
    tests::variable("BRANCH", "feature-1"),
    tests::variable("EMPTY", ""),
    tests::variable("BLANK", "  "),
    tests::variable("ONE", "1"),
    tests::variable("TWICE", "first"),
    tests::variable("TWICE", "second"),
    tests::variable("PATTERN", "/^Feature/i"),
    tests::variable("LIST", "one two feature-1 three"),
    tests::variable("PATH_LIKE", "a/b"),
    tests::variable("LINES", "first\nsecond"),
});

bool yes(const std::string& expression) {
  return evaluate(expression, k_variables);
}

std::string error_of(const std::string& expression) {
  try {
    evaluate(expression, k_variables);
    return "";
  } catch (const InvalidExpression& error) {
    return std::to_string(error.offset()) + ": " + error.what();
  }
}

}  // namespace

TEST_CASE("a variable alone is true when it is there and not blank") {
  CHECK(yes("$ONE"));
  CHECK_FALSE(yes("$EMPTY"));
  CHECK_FALSE(yes("$BLANK"));
  CHECK_FALSE(yes("$NOT_THERE"));
}

TEST_CASE("comparisons are those of strings and null") {
  CHECK(yes("$BRANCH == \"feature-1\""));
  CHECK(yes("$BRANCH == 'feature-1'"));
  CHECK(yes("'feature-1' == $BRANCH"));
  CHECK(yes("$BRANCH != 'main'"));
  CHECK(yes("$NOT_THERE == null"));
  CHECK(yes("$EMPTY != null"));
  CHECK(yes("$EMPTY == ''"));
  CHECK_FALSE(yes("$NOT_THERE == ''"));
  CHECK_FALSE(yes("$ONE == null"));
  CHECK(yes("$TWICE == 'second'"));
  CHECK_FALSE(yes("null"));
  CHECK(yes("$ONE=='1'&&$BRANCH!='x'"));
}

TEST_CASE("patterns match anywhere, with flags") {
  CHECK(yes("$BRANCH =~ /^feat/"));
  CHECK_FALSE(yes("$BRANCH =~ /^FEAT/"));
  CHECK(yes("$BRANCH =~ /^FEAT/i"));
  CHECK(yes("$BRANCH =~ /ture-\\d$/"));
  CHECK(yes("$BRANCH !~ /^main$/"));
  CHECK(yes("$PATH_LIKE =~ /^a\\/b$/"));
  CHECK(yes("$LINES =~ /first.second/s"));
  CHECK_FALSE(yes("$LINES =~ /first.second/"));
  CHECK(yes("$LINES =~ /^second$/m"));
  CHECK_FALSE(yes("$LINES =~ /^second$/"));
  CHECK(yes("$BRANCH =~ /main|feature/"));
}

TEST_CASE("a variable that is not there matches no pattern but the empty text does") {
  CHECK_FALSE(yes("$NOT_THERE =~ /main/"));
  CHECK(yes("$NOT_THERE !~ /main/"));
  CHECK(yes("$NOT_THERE =~ /.*/"));
}

TEST_CASE("the pattern may stand in a variable") {
  CHECK(yes("$BRANCH =~ $PATTERN"));
  CHECK_FALSE(yes("'main' =~ $PATTERN"));
  CHECK_FALSE(yes("$BRANCH =~ $NOT_THERE"));
  CHECK(yes("$BRANCH !~ $NOT_THERE"));
  // A text that is no pattern is searched for the left one (String#scan).
  CHECK(yes("$BRANCH =~ $LIST"));
  CHECK_FALSE(yes("'four' =~ $LIST"));
}

TEST_CASE("comparisons bind before &&, and && before ||") {
  CHECK(yes("$ONE || $NOT_THERE && $NOT_THERE"));
  CHECK(yes("$NOT_THERE && $NOT_THERE || $ONE"));
  CHECK_FALSE(yes("($ONE || $NOT_THERE) && $NOT_THERE"));
  CHECK(yes("$ONE && ($NOT_THERE || $BRANCH =~ /^feature/)"));
  CHECK(yes("$NOT_THERE || $ONE == '1' && $BRANCH != 'main'"));
  CHECK(yes("(($ONE))"));
}

TEST_CASE("&& and || give an operand, as in Ruby") {
  CHECK_FALSE(yes("$ONE && $EMPTY"));
  CHECK(yes("$EMPTY && $ONE"));
  CHECK_FALSE(yes("$EMPTY || $ONE"));
  CHECK(yes("$NOT_THERE || $ONE"));
}

TEST_CASE("what is no expression is refused with its place") {
  CHECK(error_of("") == "0: the expression is empty");
  CHECK(error_of("   ") == "0: the expression is empty");
  CHECK(error_of("$ONE $TWICE") == "5: an operator is missing before `$TWICE`");
  CHECK(error_of("$ONE ==") == "7: the expression ends too early");
  CHECK(error_of("== 'x'") == "0: a value is missing before `==`");
  CHECK(error_of("($ONE") == "0: an opening parenthesis without a closing one");
  CHECK(error_of("$ONE)") == "4: a closing parenthesis without an opening one");
  CHECK(error_of("$ONE = 'x'") == "5: unexpected `=`");
  CHECK(error_of("$ONE == x") == "8: unexpected `x`");
  CHECK(error_of("${ONE}") == "0: variables are written $NAME here, without braces");
  CHECK(error_of("$ONE == 'x") == "8: a string without its closing quote");
  CHECK(error_of("$ONE =~ /abc") == "8: a regular expression without its closing slash");
  CHECK(error_of("$ONE =~ /a/") ==
        "8: GitLab takes regular expressions of two characters and more only");
  CHECK_THAT(error_of("$ONE =~ /(ab/"), StartsWith("8: not a regular expression of RE2: "));
  CHECK_THAT(error_of("$ONE =~ /a(?=b)/"), StartsWith("8: not a regular expression of RE2: "));
  CHECK(error_of("$ONE =~ ($A == $B)") ==
        "5: =~ and !~ take a regular expression, not a comparison");
}

TEST_CASE("an expression has at most 100 words") {
  std::string expression = "$ONE";
  for (int i = 0; i < 49; ++i) expression += " && $ONE";
  CHECK(yes(expression));
  CHECK_THAT(error_of(expression + " && $ONE"), ContainsSubstring("more than 100 words"));
  CHECK_THAT(error_of(std::string(100000, '(')), ContainsSubstring("more than 100 words"));
}
