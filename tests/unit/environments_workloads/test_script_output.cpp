#include "executor/environments/workloads/jobs_in_the_way.hpp"
#include "executor/environments/workloads/script_output.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/objects.hpp"

using namespace berth::environments::workloads;
using berth::tests::deployment;
using berth::tests::job;
using berth::tests::snapshot;

namespace {

// As kubectl 1.36 writes it, but for the middle, which is kilobytes long.
const std::string k_refused =
    "deployment.apps/web configured\n"
    "The Job \"migrate\" is invalid: spec.template: Invalid value: {\"metadata\":" +
    std::string(9000, 'x') + "}: field is immutable\n" + "done\n";

}  // namespace

TEST_CASE("A Job whose new version is refused is known from kubectl's words, in any pieces") {
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{100000});
  ScriptOutput output;
  for (std::size_t at = 0; at < k_refused.size(); at += piece)
    output.feed(k_refused.substr(at, piece));
  CHECK(output.immutable_jobs() == std::vector<std::string>{"migrate"});
}

TEST_CASE("The reason may come on a line of its own") {
  ScriptOutput output;
  output.feed(
      "The Job \"a\" is invalid: \n* spec.completions: x\n* spec.template: y: field is "
      "immutable\n");
  CHECK(output.immutable_jobs() == std::vector<std::string>{"a"});
}

TEST_CASE("Other refusals are not about immutable Jobs") {
  ScriptOutput output;
  output.feed("The Deployment \"web\" is invalid: spec.selector: x: field is immutable\n");
  output.feed("The Job \"a\" is invalid: spec.backoffLimit: must be positive\n");
  output.feed("The Job \"never ends");
  CHECK(output.immutable_jobs().empty());
}

TEST_CASE("A finished Job in the way is told with what to do") {
  const Failure failure =
      immutable_job_failure("migrate", snapshot({{Kind::job, job("app:v1", "Complete", "j")}}));
  CHECK(failure.text ==
        "Job 'migrate' was not run again: it has finished with image 'app:v1', and a Job's pods "
        "cannot be changed: the apply of its new version was refused");
  CHECK_THAT(failure.hint, StartsWith("`kubectl delete job migrate"));
}

TEST_CASE("A finished Job of an older image of what was deployed is worth a note") {
  const Snapshot before =
      snapshot({{Kind::deployment, deployment()}, {Kind::job, job("app:v1", "Complete", "j")}});
  const Snapshot after = snapshot({{Kind::deployment, deployment({.image = "app:v2"})},
                                   {Kind::job, job("app:v1", "Complete", "j")}});
  REQUIRE(stale_jobs(diff(before, after), after).size() == 1);
  CHECK_THAT(
      stale_jobs(diff(before, after), after)[0],
      StartsWith("Job 'migrate' stands finished with image 'app:v1', while Deployment 'web' runs "
                 "'app:v2'"));
  const Snapshot other = snapshot({{Kind::deployment, deployment({.image = "app:v2"})},
                                   {Kind::job, job("tool:v1", "Complete", "j")}});
  CHECK(stale_jobs(diff(before, other), other).empty());
}

TEST_CASE("However many Jobs a script speaks of, a hundred are enough") {
  ScriptOutput output;
  for (int i = 0; i < 1000; ++i) {
    output.feed("The Job \"j" + std::to_string(i) +
                "\" is invalid: spec.template: field is immutable\n");
  }
  CHECK(output.immutable_jobs().size() == 100);
}
