#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;

namespace {

std::string chain(int levels) {
  std::string text = ".t0: {script: [x]}\n";
  for (int i = 1; i < levels; ++i) {
    text += ".t" + std::to_string(i) + ": {extends: .t" + std::to_string(i - 1) + "}\n";
  }
  return text + "job: {extends: .t" + std::to_string(levels - 1) + "}\n";
}

}  // namespace

TEST_CASE("extends goes eleven levels deep, and no deeper") {
  CHECK(tests::problems_of(chain(11)) == "");
  CHECK_THAT(tests::problems_of(chain(12)), ContainsSubstring("over more than 11 levels"));
}

TEST_CASE("what a job says itself wins over what it extends, null included") {
  const auto pipeline = tests::load_text(R"(
.base: {script: [base], tags: [a], image: one, when: always}
default: {image: fallback}
job: {extends: .base, script: [own], image: null, when: manual}
)");
  const auto& job = tests::job_of(pipeline, "job");
  CHECK(job.script == std::vector<std::string>{"own"});
  CHECK(job.tags == std::vector<std::string>{"a"});
  CHECK(job.image->name == "fallback");
  CHECK(job.when == local::pipeline::When::manual);
}

TEST_CASE("a visible job can be extended too") {
  const auto pipeline =
      tests::load_text("a: {script: [x], stage: build}\nb: {extends: a, stage: test}");
  CHECK(tests::job_of(pipeline, "b").script == std::vector<std::string>{"x"});
}

TEST_CASE("extends that lead nowhere are refused") {
  CHECK(tests::problems_of(".template: {script: x}\njob: {extends: .tmplate}") ==
        ".gitlab-ci.yml:2:16: `job` extends `.tmplate`, which does not exist; did you mean "
        "`.template`?");
  CHECK_THAT(tests::problems_of("a: {extends: b}\nb: {extends: a}"),
             ContainsSubstring("extends itself by way of"));
  CHECK_THAT(tests::problems_of("a: {extends: a, script: x}"), ContainsSubstring("extends itself"));
  CHECK(tests::problems_of(".l: [x]\na: {extends: .l, script: x}") ==
        ".gitlab-ci.yml:2:14: `a` extends `.l`, which is a list and no map");
  CHECK(tests::problems_of("a: {extends: {x: y}, script: x}") ==
        ".gitlab-ci.yml:1:14: `extends` takes a job's name or a list of names, not a map");
}
