#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;

TEST_CASE("references reach into references") {
  const auto pipeline = tests::load_text(R"(
.a: {script: [one, !reference [.b, script]]}
.b: {script: [two, !reference [.c, lines, deep]]}
.c: {lines: {deep: [three]}}
job: {script: [!reference [.a, script], four]}
)");
  CHECK(tests::job_of(pipeline, "job").script ==
        std::vector<std::string>{"one", "two", "three", "four"});
}

TEST_CASE("a whole keyword may be a reference") {
  const auto pipeline = tests::load_text(R"(
.image: {image: {name: busybox, entrypoint: [""]}}
job: {script: x, image: !reference [.image, image], tags: !reference [.tags, tags]}
.tags: {tags: [a, b]}
)");
  const auto& job = tests::job_of(pipeline, "job");
  CHECK(job.image->name == "busybox");
  CHECK(job.tags == std::vector<std::string>{"a", "b"});
}

TEST_CASE("lists nest up to ten levels") {
  const auto nested = [](int levels) {
    return "job: {script: " + std::string(static_cast<std::size_t>(levels), '[') + "x" +
           std::string(static_cast<std::size_t>(levels), ']') + "}";
  };
  CHECK(tests::problems_of(nested(10)) == "");
  CHECK_THAT(tests::problems_of(nested(11)),
             ContainsSubstring("lists are nested deeper than 10 levels"));
}

TEST_CASE("references that lead nowhere are refused") {
  CHECK(tests::problems_of(".setup: {script: x}\njob: {script: [!reference [.setup, scrip]]}") ==
        ".gitlab-ci.yml:2:36: !reference [.setup, scrip] was not found: there is no `scrip`; did "
        "you mean `script`?");
  CHECK_THAT(tests::problems_of(".s: {script: [x]}\njob: {script: [!reference [.s, script, y]]}"),
             ContainsSubstring("`script` is a list and has no keys"));
  CHECK_THAT(tests::problems_of(".s: {x: }\njob: {script: [!reference [.s, x]]}"),
             ContainsSubstring("!reference [.s, x] is null"));
}

TEST_CASE("references in a circle are refused") {
  CHECK_THAT(tests::problems_of(".a: {script: [!reference [.b, script]]}\n"
                                ".b: {script: [!reference [.a, script]]}\n"
                                "job: {script: !reference [.a, script]}"),
             ContainsSubstring("refers to itself"));
  CHECK_THAT(tests::problems_of("job: {script: !reference [job, script]}"),
             ContainsSubstring("refers to itself"));
}
