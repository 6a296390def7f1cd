#include "cli/local/pipeline/select.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;
using namespace berth::local::pipeline;

namespace {

Job only_job(const std::string& words, std::vector<core::Variable> given = {}) {
  Context context = tests::context_of();
  context.pipeline = std::move(given);
  return load({".gitlab-ci.yml", "job: {script: x, " + words + "}"}, context).jobs.at(0);
}

}  // namespace

TEST_CASE("allow_failure depends on where `manual` is said") {
  CHECK(only_job("when: manual").allow_failure);
  CHECK_FALSE(only_job("when: manual, allow_failure: false").allow_failure);
  CHECK_FALSE(only_job("rules: [{when: manual}]").allow_failure);
  CHECK(only_job("rules: [{when: manual, allow_failure: true}]").allow_failure);
  CHECK(only_job("when: manual, rules: [{if: $CI}]").when == When::manual);
  CHECK(only_job("when: manual, rules: [{if: $CI}]").allow_failure);
  CHECK(only_job("allow_failure: true, rules: [{if: $CI}]").allow_failure);
  CHECK_FALSE(
      only_job("allow_failure: true, rules: [{if: $CI, allow_failure: false}]").allow_failure);
}

TEST_CASE("a rule's allow_failure drops the exit codes") {
  CHECK(only_job("allow_failure: {exit_codes: 3}, rules: [{if: $CI}]").allow_failure_exit_codes ==
        std::vector<int>{3});
  CHECK(only_job("allow_failure: {exit_codes: 3}, rules: [{if: $CI, allow_failure: true}]")
            .allow_failure_exit_codes.empty());
}

TEST_CASE("rules see variables by precedence") {
  // Pipeline variables win over the job's, the job's over predefined ones.
  CHECK(only_job("variables: {A: job}, rules: [{if: $A == 'job'}]").name == "job");
  CHECK(
      only_job("variables: {A: job}, rules: [{if: $A == 'given'}]", {tests::variable("A", "given")})
          .name == "job");
  CHECK(only_job("variables: {CI: overridden}, rules: [{if: $CI == 'overridden'}]").name == "job");
  Context context = tests::context_of();
  context.project = {tests::variable("A", "project"), tests::variable("B", "project")};
  context.pipeline = {tests::variable("B", "pipeline")};
  const auto pipeline = load({".gitlab-ci.yml", R"(
variables: {A: global, B: global}
job:
  variables: {A: job, B: job}
  rules: [{if: $A == "project" && $B == "pipeline"}]
  script: x
)"},
                             context);
  CHECK(pipeline.jobs.size() == 1);
  // Values are not expanded where rules look at them.
  CHECK(only_job("variables: {A: $CI}, rules: [{if: \"$A == '$CI'\"}]").name == "job");
}

TEST_CASE("a rule's variables are the job's when it matches") {
  const Job job = only_job("variables: {A: '1', B: '1'}, rules: [{if: $CI, variables: {B: '2'}}]");
  CHECK(tests::value_in(job.variables, "A") == "1");
  CHECK(tests::value_in(job.variables, "B") == "2");
}

TEST_CASE("manual jobs are told so") {
  CHECK(tests::value_in(only_job("when: manual").predefined, "CI_JOB_MANUAL") == "true");
  CHECK(tests::value_in(only_job("rules: [{when: manual}]").predefined, "CI_JOB_MANUAL") == "true");
  CHECK(tests::value_in(only_job("when: always").predefined, "CI_JOB_MANUAL") == "<none>");
}

TEST_CASE("refs are matched by keyword, name, pattern and project") {
  Context context = tests::context_of();
  context.ref = "feature-1";
  CHECK(ref_matches("branches", context));
  CHECK_FALSE(ref_matches("tags", context));
  CHECK(ref_matches("pushes", context));
  CHECK(ref_matches("push", context));
  CHECK(ref_matches("feature-1", context));
  CHECK_FALSE(ref_matches("feature", context));
  CHECK(ref_matches("/^feat/", context));
  CHECK(ref_matches("/^FEAT/i", context));
  CHECK(ref_matches("branches@group/project", context));
  CHECK_FALSE(ref_matches("branches@other/project", context));
  CHECK(ref_matches("/^feat/@group/project", context));
  for (const char* source : {"web", "api", "schedule", "trigger", "pipeline"}) {
    context.source = source;
    CHECK(ref_matches(source + std::string("s"), context));
    CHECK_FALSE(ref_matches("pushes", context));
  }
  context.source = "merge_request_event";
  CHECK(ref_matches("merge_requests", context));
  CHECK_FALSE(ref_matches("branches", context));
  context.tag = true;
  context.source = "push";
  CHECK(ref_matches("tags", context));
  CHECK_FALSE(ref_matches("branches", context));
}

TEST_CASE("a pipeline without jobs is refused") {
  CHECK(tests::problems_of("job: {script: x, rules: [{if: $NO}]}") ==
        ".gitlab-ci.yml:1:1: no job takes part in this pipeline: look at rules, only and except");
  CHECK_THAT(tests::problems_of("job: {script: x, stage: .pre}"),
             ContainsSubstring("only jobs of .pre and .post take part"));
  CHECK(tests::problems_of(".job: {script: x}") ==
        ".gitlab-ci.yml:1:1: there is no job in the file");
}

TEST_CASE("variables in a circle are refused") {
  CHECK_THAT(tests::problems_of("variables: {A: $B, B: $A}\njob: {script: x}"),
             ContainsSubstring("variables of `job` refer to each other in a circle: "));
}
