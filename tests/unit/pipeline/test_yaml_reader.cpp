#include "cli/local/pipeline/yaml_reader.hpp"
#include "tests/support/catch.hpp"

using namespace berth::local::pipeline;

namespace {

/// The value in short: {a: 1, b: [x, null]}
std::string shown(const Value& value) {
  std::string out;
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::list:
    case Value::Kind::reference:
      for (const auto& item : value.items) out += (out.empty() ? "" : ", ") + shown(*item);
      return (value.is(Value::Kind::list) ? "[" : "!reference [") + out + "]";
    case Value::Kind::map:
      for (const Entry& entry : value.entries) {
        out += (out.empty() ? "" : ", ") + entry.key + ": " + shown(*entry.value);
      }
      return "{" + out + "}";
    default:
      return value.text;
  }
}

std::string read(const std::string& text) {
  Problems problems;
  const ValuePtr value = read_yaml("f.yml", text, problems);
  problems.check();
  return shown(*value);
}

std::string error_of(const std::string& text) {
  try {
    return "no error: " + read(text);
  } catch (const InvalidPipeline& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("aliases repeat what their anchor marks") {
  CHECK(read("a: &x {b: [1, yes]}\nc: *x") == "{a: {b: [1, true]}, c: {b: [1, true]}}");
}

TEST_CASE("a merge key acts where it stands, as in Psych") {
  const std::string base = "d: &d {script: b, x: 1}\n";
  CHECK(read(base + "j:\n  script: a\n  <<: *d") == "{d: {script: b, x: 1}, j: {script: b, x: 1}}");
  CHECK(read(base + "j:\n  <<: *d\n  script: a") == "{d: {script: b, x: 1}, j: {script: a, x: 1}}");
  CHECK(read(base + "j:\n  <<: [*d, {x: 2, y: 3}]") ==
        "{d: {script: b, x: 1}, j: {x: 1, y: 3, script: b}}");
  CHECK(read(base + "j:\n  <<: *d\n  <<: {x: 9}") ==
        "{d: {script: b, x: 1}, j: {script: b, x: 9}}");
}

TEST_CASE("a merge key does not merge deeply") {
  CHECK(read("d: &d {v: {y: 1}}\nj: {v: {z: 1}, <<: *d}") == "{d: {v: {y: 1}}, j: {v: {y: 1}}}");
}

TEST_CASE("of a key that stands twice the last value wins, with a warning") {
  Problems problems;
  const ValuePtr value = read_yaml("f.yml", "a: 1\nb: 2\na: 3", problems);
  CHECK(problems.empty());
  CHECK(shown(*value) == "{a: 3, b: 2}");
  CHECK(problems.take_warnings() ==
        std::vector<std::string>{
            "f.yml:3:1: the key `a` stands twice; line 1 is ignored, as GitLab does"});
}

TEST_CASE("to override a merged key is no mistake") {
  Problems problems;
  read_yaml("f.yml", "d: &d {x: 1}\nj:\n  <<: *d\n  x: 2", problems);
  CHECK(problems.take_warnings().empty());
}

TEST_CASE("block scalars keep or fold line breaks") {
  CHECK(read("a: |\n  x\n   y\n\nb: >\n  p\n  q\n\n  r\nc: |-\n  t\nd: |+\n  u\n\n") ==
        "{a: x\n y\n, b: p q\nr\n, c: t, d: u\n\n}");
}

TEST_CASE("quoted words and tags say what a scalar is") {
  CHECK(read("a: 'yes'\nb: \"1.10\"\nc: !!str 12\nd: !!int 012\ne: !reference [x, y]") ==
        "{a: yes, b: 1.10, c: 12, d: 10, e: !reference [x, y]}");
}

TEST_CASE("what is no YAML is reported where it stands") {
  CHECK_THAT(error_of("a: [1, 2"), StartsWith("f.yml:1:"));
  CHECK_THAT(error_of("a: b\n c: d"), StartsWith("f.yml:2:"));
  CHECK_THAT(error_of("a:\n  - x\n  'y"), StartsWith("f.yml:3:"));
  CHECK_THAT(error_of("a: *nope"), StartsWith("f.yml:1:"));
  CHECK_THAT(error_of("a:\n  b: 1\n c: 2"), StartsWith("f.yml:3:2: not YAML: this does not fit"));
}

TEST_CASE("what GitLab or berth local refuse is reported where it stands") {
  CHECK(error_of("") == "f.yml:1:1: the file is empty");
  CHECK(error_of("- a") == "f.yml:1:1: the file must hold a map of jobs, not a list");
  CHECK(error_of("a: 2020-01-01") ==
        "f.yml:1:4: `2020-01-01` reads as a date, which GitLab refuses: quote it");
  CHECK(error_of("a: !vault x") == "f.yml:1:4: the tag `!vault` is not supported");
  CHECK(error_of("a: !reference x") ==
        "f.yml:1:4: !reference takes a list: !reference [job, keyword]");
  CHECK(error_of("a: !reference [[x]]") ==
        "f.yml:1:4: !reference takes a list of strings: !reference [job, keyword]");
  CHECK(error_of("a: 1\nb:\n  <<: 3") ==
        "f.yml:3:3: a merge key `<<` takes a map or a list of maps, not an integer");
  CHECK(error_of("? [a]\n: b") == "f.yml:1:3: a key must be a word, this is a list");
  CHECK(error_of("a: &x [*x]") == "f.yml:1:8: an alias stands inside its own anchor");
}

TEST_CASE("there is one document in a file") {
  CHECK_THAT(error_of("spec:\n  inputs:\n    x:\n---\na: 1"),
             ContainsSubstring("a `spec:` header (inputs) is not supported"));
  CHECK_THAT(error_of("a: 1\n---\nb: 1"), ContainsSubstring("f.yml:2:1: a second document"));
  CHECK(read("---\na: 1\n...\n") == "{a: 1}");
}
