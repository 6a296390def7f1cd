#include "cli/gc_command.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using cli::gc_report;

namespace {

const core::Garbage k_pod{.kind = "pod", .name = "ci/berth-1-a", .reason = "it is over"};
const core::Garbage k_network{
    .kind = "network", .name = "berth-2-b-net", .reason = "it is over", .failure = "busy"};

}  // namespace

TEST_CASE("gc tells of each object, and of all") {
  CHECK(gc_report({}, false) == "nothing is left over\n");
  CHECK(gc_report({k_pod}, true) ==
        "would remove pod ci/berth-1-a: it is over\n1 object is left over\n");
  CHECK(gc_report({k_pod, k_network}, false) ==
        "removed pod ci/berth-1-a: it is over\n"
        "cannot remove network berth-2-b-net: it is over: busy\n"
        "1 removed, 1 could not be\n");
}

TEST_CASE("an age that a job about to start could undercut is refused") {
  for (const char* text : {"59m", "soon", "-1", "0"}) {
    CHECK_THROWS_AS(cli::run_gc({.settings = "/nowhere.yaml", .volumes_older_than = text}),
                    support::OperatorError);
  }
}
