#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;

TEST_CASE("jobs of one stage may need each other, but not themselves") {
  const auto pipeline =
      tests::load_text("a: {script: x, needs: [b]}\nb: {script: x}\nc: {script: x, needs: [a, b]}");
  CHECK(tests::job_of(pipeline, "a").artifacts_from == std::vector<std::string>{"b"});
  CHECK_THAT(tests::problems_of("a: {script: x, needs: [b]}\nb: {script: x, needs: [c]}\n"
                                "c: {script: x, needs: [a]}"),
             ContainsSubstring(".gitlab-ci.yml:1:24: `a` needs itself, by way of `b`"));
  CHECK_THAT(tests::problems_of("a: {script: x, needs: [a]}"), ContainsSubstring("needs itself"));
}

TEST_CASE("needs that cannot be met are refused") {
  CHECK(
      tests::problems_of("build it: {script: x}\nb: {script: x, needs: [biuld it]}") ==
      ".gitlab-ci.yml:2:24: `b` needs `biuld it`, which does not exist; did you mean `build it`?");
  CHECK(tests::problems_of("a: {script: x, stage: deploy}\nb: {script: x, needs: [{job: a}]}") ==
        ".gitlab-ci.yml:2:24: `b` needs `a`, which is in a later stage (`deploy` comes after "
        "`test`)");
  CHECK_THAT(tests::problems_of("a: {script: x, rules: [{if: $NO}]}\nb: {script: x, needs: [a]}"),
             ContainsSubstring("`optional: true` allows for that"));
  CHECK_THAT(tests::problems_of("a: {script: x}\nb: {script: x, needs: [a, a]}"),
             ContainsSubstring("`a` stands twice in `needs`"));
  CHECK(tests::problems_of("b: {script: x, needs: [{job: a, optional: true}]}") == "");
}

TEST_CASE("dependencies are jobs of stages before, and part of needs") {
  CHECK_THAT(tests::problems_of("a: {script: x}\nb: {script: x, dependencies: [c]}"),
             ContainsSubstring("`b` depends on `c`, which does not exist"));
  CHECK_THAT(tests::problems_of("a: {script: x, stage: deploy}\nb: {script: x, dependencies: [a]}"),
             ContainsSubstring("which is in a later stage"));
  CHECK_THAT(tests::problems_of("a: {script: x, stage: build}\nb: {script: x, stage: build}\n"
                                "c: {script: x, needs: [a], dependencies: [b]}"),
             ContainsSubstring("the dependency `b` must be part of `needs`"));
  const auto pipeline = tests::load_text(
      "a: {script: x, stage: build}\nb: {script: x, stage: build}\n"
      "c: {script: x, needs: [a, b], dependencies: [b]}\nd: {script: x, needs: [{job: a, "
      "artifacts: false}]}");
  CHECK(tests::job_of(pipeline, "c").artifacts_from == std::vector<std::string>{"b"});
  CHECK(tests::job_of(pipeline, "d").artifacts_from.empty());
}

TEST_CASE("on_stop names a job that stops the environment") {
  const std::string start = "a: {script: x, environment: {name: e, on_stop: b}}\n";
  CHECK_THAT(tests::problems_of(start), ContainsSubstring("`b` of `a` does not exist"));
  CHECK_THAT(tests::problems_of(start + "b: {script: x}"), ContainsSubstring("has no environment"));
  CHECK_THAT(tests::problems_of(start + "b: {script: x, environment: f}"),
             ContainsSubstring("has another environment"));
  CHECK_THAT(tests::problems_of(start + "b: {script: x, environment: e}"),
             ContainsSubstring("must have `action: stop`"));
  CHECK(tests::problems_of(start + "b: {script: x, environment: {name: e, action: stop}}") == "");
}
