#include "executor/sandbox/container_end.hpp"
#include "tests/support/catch.hpp"

using berth::sandbox::ContainerEnd;
using berth::sandbox::explain;
using berth::sandbox::quote_log;

TEST_CASE("how a container ended, in words") {
  CHECK(explain({}) == "was removed by somebody else");
  CHECK(explain({.exists = true, .started = true, .exit_code = 3}) == "ended with exit code 3");
  CHECK(explain({.exists = true, .started = true, .oom_killed = true, .exit_code = 137}) ==
        "ended with exit code 137: out of memory");
  CHECK(explain({.exists = true,
                 .started = false,
                 .exit_code = 127,
                 .error = "exec: \"x\": not found"}) ==
        "could not be started: exec: \"x\": not found");
}

TEST_CASE("a log is quoted line by line, without the carriage returns of terminals") {
  CHECK(quote_log("").empty());
  CHECK(quote_log("one\r\ntwo") == "\nits last lines:\n  | one\n  | two");
  CHECK(quote_log("a\n\nb") == "\nits last lines:\n  | a\n  | \n  | b");
}
