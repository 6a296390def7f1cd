#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;

TEST_CASE("later includes win over earlier ones, the including file over all") {
  const auto pipeline =
      tests::load_text(R"(
include: [a.yml, b.yml]
job: {variables: {C: main}}
)",
                       {{"a.yml", "job: {script: a, variables: {A: a, B: a, C: a}}"},
                        {"b.yml", "job: {script: b, variables: {B: b, C: b}}"}});
  const auto& job = tests::job_of(pipeline, "job");
  CHECK(job.script == std::vector<std::string>{"b"});
  CHECK(tests::value_in(job.variables, "A") == "a");
  CHECK(tests::value_in(job.variables, "B") == "b");
  CHECK(tests::value_in(job.variables, "C") == "main");
}

TEST_CASE("one star stops at slashes, two do not") {
  const tests::Files files{{"ci/a.yml", "a: {script: x}"},
                           {"ci/deep/b.yml", "b: {script: x}"},
                           {"ci/c.txt", "not yaml"}};
  CHECK(tests::names_of(tests::load_text("include: {local: 'ci/*.yml'}", files)) ==
        std::vector<std::string>{"a"});
  CHECK(tests::names_of(tests::load_text("include: {local: '/ci/**.yml'}", files)) ==
        std::vector<std::string>{"a", "b"});
  const auto none = tests::load_text("include: 'x/*.yml'\nj: {script: x}", files);
  CHECK(none.warnings ==
        std::vector<std::string>{".gitlab-ci.yml:1:10: no file matches `x/*.yml`"});
}

TEST_CASE("variables stand in paths") {
  CHECK(tests::names_of(tests::load_text("include: 'ci/$CI_COMMIT_REF_NAME.yml'",
                                         {{"ci/main.yml", "a: {script: x}"}})) ==
        std::vector<std::string>{"a"});
}

TEST_CASE("mistakes in included files are shown where they stand") {
  CHECK(tests::problems_of("include: a.yml", {{"a.yml", "job:\n  script: x\n  wehn: manual"}}) ==
        "a.yml:3:3: unknown key `wehn` in a job; did you mean `when`?");
  CHECK_THAT(tests::problems_of("include: a.yml", {{"a.yml", "a: ["}}), StartsWith("a.yml:1:"));
  CHECK(tests::problems_of("include: a.yml", {{"a.yml", ""}}) == "a.yml:1:1: the file is empty");
}

TEST_CASE("includes that are not there or not supported are refused") {
  CHECK(tests::problems_of("include: a.yml\nj: {script: x}") ==
        ".gitlab-ci.yml:1:10: included file `a.yml` does not exist in the commit");
  CHECK(tests::problems_of("include: a.txt\nj: {script: x}", {{"a.txt", "x"}}) ==
        ".gitlab-ci.yml:1:10: included file `a.txt`: the name must end in .yml or .yaml");
  CHECK_THAT(tests::problems_of("include: a.yml", {{"a.yml", "include: a.yml"}}),
             ContainsSubstring("a.yml:1:10: included file `a.yml` includes itself"));
  CHECK(tests::problems_of("include: {remote: 'https://x'}\nj: {script: x}") ==
        ".gitlab-ci.yml:1:11: `remote` of `include` is not supported by berth local yet");
  CHECK_THAT(tests::problems_of("include: 'https://x/y.yml'\nj: {script: x}"),
             ContainsSubstring("`include` of a URL"));
  CHECK(tests::problems_of("include: [{local: a.yml, rules: []}]\nj: {script: x}",
                           {{"a.yml", "a: {script: x}"}}) ==
        ".gitlab-ci.yml:1:26: `rules` of `include` is not supported by berth local yet");
  CHECK_THAT(tests::problems_of("include: 3\nj: {script: x}"),
             ContainsSubstring("takes a path or a map with `local`, not an integer"));
}

TEST_CASE("at most 150 files are included") {
  tests::Files files;
  std::string text = "include:\n";
  for (int i = 0; i < 151; ++i) {
    const std::string name = "f" + std::to_string(i) + ".yml";
    files[name] = "j" + std::to_string(i) + ": {script: x}";
    text += "  - " + name + "\n";
  }
  CHECK_THAT(tests::problems_of(text, files),
             ContainsSubstring(".gitlab-ci.yml:152:5: more than 150 files are included"));
}
