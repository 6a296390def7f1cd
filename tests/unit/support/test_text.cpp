#include "executor/support/text.hpp"
#include "tests/support/catch.hpp"

using berth::support::one_line;

TEST_CASE("one line: blanks and control characters become one blank") {
  CHECK(one_line("a\r\n\tb  c \n") == "a b c");
  CHECK(one_line(" \x1b[31mred\x7f!") == "[31mred !");
  CHECK(one_line(std::string_view("a\0b", 3)) == "a b");
  CHECK(one_line("grün").size() == 5);
  CHECK(one_line("\n \t").empty());
  CHECK(one_line("").empty());
}

TEST_CASE("one line: a long text is cut between characters") {
  CHECK(one_line("abc", 3) == "abc");
  CHECK(one_line("abcd", 3) == "abc...");
  CHECK(one_line("aäb", 2) == "a...");
  CHECK(one_line("aäb", 3) == "aä...");
  CHECK(one_line("€", 2) == "...");
  CHECK(one_line("a\n\n\n\nb", 3) == "a b");
  CHECK(one_line(std::string(1001, 'x')) == std::string(1000, 'x') + "...");
}
