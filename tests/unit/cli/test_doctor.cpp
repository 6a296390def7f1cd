#include "cli/doctor/guard.hpp"
#include "cli/doctor/report.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <unistd.h>
#include <vector>

using namespace berth;
using core::Finding;
using core::Health;

namespace {

const std::vector<Finding> k_findings = {
    {.check = "engine", .text = "there"},
    {.check = "limits", .health = Health::warning, .text = "no swap limit", .remedy = "enable it"},
    {.check = "rights", .health = Health::failed, .text = "may not", .remedy = "add it"},
    {.check = "dns", .health = Health::skipped, .text = "not tried"}};

}  // namespace

TEST_CASE("findings in words") {
  CHECK(cli::doctor_text(k_findings, false) ==
        "ok       engine        there\n"
        "warning  limits        no swap limit\n"
        "                       -> enable it\n"
        "FAILED   rights        may not\n"
        "                       -> add it\n"
        "skipped  dns           not tried\n"
        "1 failed, 1 warning\n");
  CHECK(cli::doctor_text({k_findings[0], k_findings[3]}, false).ends_with("all is well\n"));
}

TEST_CASE("findings as JSON") {
  CHECK(cli::doctor_json({k_findings[2]}) ==
        "{\n  \"findings\": [\n    {\n      \"check\": \"rights\",\n      \"remedy\": \"add it\",\n"
        "      \"status\": \"failed\",\n      \"text\": \"may not\"\n    }\n  ],\n"
        "  \"ok\": false\n}\n");
  CHECK(cli::doctor_json({{.check = "x", .text = "\xff"}}).find("\"ok\": true") !=
        std::string::npos);
}

TEST_CASE("only what failed makes the exit code") {
  CHECK(cli::doctor_exit_code(k_findings) == 1);
  CHECK(cli::doctor_exit_code({k_findings[0], k_findings[1], k_findings[3]}) == 0);
}

TEST_CASE("a guard hands on its child's result, and tidies up behind one that was killed") {
  int tidied = 0;
  const auto tidy = [&tidied] { ++tidied; };
  CHECK(cli::run_guarded([] { return 7; }, tidy) == 7);
  CHECK(tidied == 0);
  CHECK(cli::run_guarded([] { return ::raise(SIGKILL); }, tidy) == 1);
  CHECK(tidied == 1);
}
