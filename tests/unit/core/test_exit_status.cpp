#include "executor/core/exit_status.hpp"
#include "executor/core/failure_policy.hpp"
#include "tests/support/catch.hpp"

#include <csignal>

using namespace berth::core;
using berth::support::Fault;

TEST_CASE("exit status: only a plain zero is success") {
  CHECK(ExitStatus{}.success());
  CHECK_FALSE(ExitStatus{.how = Exited{1}}.success());
  CHECK_FALSE(ExitStatus{.how = Signalled{SIGKILL}}.success());
  CHECK_FALSE(ExitStatus{.how = Signalled{0}}.success());
}

TEST_CASE("exit status: the code for the runner") {
  CHECK(ExitStatus{.how = Exited{42}}.build_exit_code() == 42);
  CHECK(ExitStatus{.how = Signalled{SIGKILL}}.build_exit_code() == 137);
}

TEST_CASE("exit status: explained where the code says too little") {
  CHECK(explain(ExitStatus{}).empty());
  CHECK(explain(ExitStatus{.how = Exited{1}}).empty());
  CHECK(explain(ExitStatus{.how = Signalled{SIGSEGV}}) == "the script was killed by SIGSEGV");
  CHECK(explain(ExitStatus{.how = Exited{137}}) ==
        "exit code 137 usually means that a command was killed by SIGKILL");
  CHECK(explain(ExitStatus{.how = Exited{255}}).empty());
  CHECK_THAT(explain(ExitStatus{.how = Exited{1}, .oom_kills = 1}),
             ContainsSubstring("for want of memory"));
  CHECK_THAT(explain(ExitStatus{.how = Signalled{SIGKILL}, .oom_kills = 3}),
             ContainsSubstring("SIGKILL; the kernel killed 3 processes"));
  // A killed process of a script that went well all the same is not its fault.
  CHECK(explain(ExitStatus{.oom_kills = 1}).empty());
}

TEST_CASE("failure policy: only the job's faults are build failures") {
  CHECK(outcome_of(Fault::job) == Outcome::build_failure);
  CHECK(outcome_of(Fault::operator_) == Outcome::system_failure);
  CHECK(outcome_of(Fault::infrastructure) == Outcome::system_failure);
  CHECK(to_string(Fault::job) == "job");
  CHECK(to_string(Fault::operator_) == "operator");
  CHECK(to_string(Fault::infrastructure) == "system");
}
