// Files made to eat memory or stack end with a message.
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;

TEST_CASE("bombs of aliases are refused") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j == 0 ? "" : ", ") + before;
    text += "]\n";
  }
  CHECK_THAT(tests::problems_of(text), ContainsSubstring("the file is too large"));
}

TEST_CASE("bombs of references are refused") {
  std::string text = ".a0: [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += ".a" + std::to_string(i) + ": [";
    for (int j = 0; j < 10; ++j) {
      text += (j == 0 ? "" : ", ") + std::string("!reference [.a") + std::to_string(i - 1) + "]";
    }
    text += "]\n";
  }
  CHECK_THAT(tests::problems_of(text + "job: {script: x}"), ContainsSubstring("too large"));
}

TEST_CASE("deep files are refused") {
  CHECK_THAT(tests::problems_of("a: " + std::string(50000, '[')),
             ContainsSubstring(".gitlab-ci.yml:1"));
  std::string block;
  for (int i = 0; i < 3000; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK_THAT(tests::problems_of(block), ContainsSubstring(".gitlab-ci.yml:"));
  CHECK_THAT(tests::problems_of("a: " + std::string(101, '[') + std::string(101, ']')),
             ContainsSubstring("nested deeper than 100 levels"));
}

TEST_CASE("values that grow deep bit by bit are refused") {
  std::string aliases = "a0: &a0 [x]\n";
  std::string references = ".a0: [x]\n";
  for (int i = 1; i < 20000; ++i) {
    const std::string before = std::to_string(i - 1);
    const std::string here = std::to_string(i);
    aliases += "a" + here + ": &a" + here + " [*a" + before + "]\n";
    references += ".a" + here + ": [!reference [.a" + before + "]]\n";
  }
  CHECK_THAT(tests::problems_of(aliases), ContainsSubstring("nested deeper than 100 levels"));
  CHECK_THAT(tests::problems_of(references), ContainsSubstring("nested deeper than 100 levels"));
}

TEST_CASE("large pipelines are no bombs") {
  std::string text = ".base: {before_script: [a, b], variables: {";
  for (int i = 0; i < 50; ++i) text += (i == 0 ? "V" : ", V") + std::to_string(i) + ": x";
  text += "}}\n.lines: {script: [x, y]}\n";
  for (int i = 0; i < 1000; ++i) {
    text += "j" + std::to_string(i) +
            ": {extends: .base, script: [!reference [.lines, script]], stage: build}\n";
  }
  CHECK(tests::load_text(text).jobs.size() == 1000);
}

TEST_CASE("a chain of references is as deep as lists may be") {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += ".r" + std::to_string(i) + ": !reference [.r" + std::to_string(i + 1) + "]\n";
  }
  CHECK_THAT(tests::problems_of(text + ".r200: x\njob: {script: !reference [.r0]}"),
             ContainsSubstring("nested deeper than 100 levels"));
}
