#include "executor/support/shell.hpp"
#include "tests/support/catch.hpp"

using berth::support::shell_quoted;

TEST_CASE("shell: any text is one word") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("/a b/$HOME/`x`\n") == "'/a b/$HOME/`x`\n'");
  CHECK(shell_quoted("it's") == R"('it'\''s')");
  CHECK(shell_quoted("'") == R"(''\''')");
}
