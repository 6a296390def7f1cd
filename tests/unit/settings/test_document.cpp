#include "executor/settings/document.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth::settings;
using berth::support::OperatorError;

TEST_CASE("document: values with their places") {
  const Value root = read_document("a: 1\nb:\n  - x\n  - 'y'\nc: {d: ~}\n", "f");
  REQUIRE(root.kind == Value::Kind::map);
  REQUIRE(root.entries.size() == 3);
  CHECK(root.entries[0].key == "a");
  CHECK(root.entries[0].value.scalar == "1");
  CHECK_FALSE(root.entries[0].value.quoted);
  CHECK(root.entries[1].position.line == 2);
  CHECK(root.entries[1].position.column == 1);
  const Value& list = root.entries[1].value;
  REQUIRE(list.kind == Value::Kind::list);
  CHECK(list.items[1].scalar == "y");
  CHECK(list.items[1].quoted);
  CHECK(list.items[1].position.line == 4);
  CHECK(list.items[1].position.column == 5);
  CHECK(root.entries[2].value.entries.at(0).value.kind == Value::Kind::null);
}

TEST_CASE("document: nothing at all is null") {
  CHECK(read_document("", "f").kind == Value::Kind::null);
  CHECK(read_document("# only a comment\n", "f").kind == Value::Kind::null);
  CHECK(read_document("---\n", "f").kind == Value::Kind::null);
}

TEST_CASE("document: quotes and tags make strings") {
  CHECK(read_document("'~'", "f").kind == Value::Kind::scalar);
  CHECK(read_document("\"null\"", "f").quoted);
  CHECK(read_document("!!str true", "f").quoted);
}

TEST_CASE("document: errors have a place") {
  const auto message = [](const char* yaml) {
    return berth::tests::message_of<OperatorError>([&] { read_document(yaml, "f.yaml"); });
  };
  CHECK(message("a: 1\nb: 2\na: 3\n") == "f.yaml:3:1: 'a' is given twice");
  CHECK(message("x: {b: 1, b: 2}") == "f.yaml:1:11: 'b' is given twice");
  CHECK(message("[a]: 1") == "f.yaml:1:1: a key must be a word");
  CHECK(message("--- {}\n---\nb: 1\n") == "f.yaml:2:1: a second document begins here");
  CHECK_THAT(message("a:\n\t- b"), StartsWith("f.yaml:2:"));
  CHECK_THAT(message("a: [1"), ContainsSubstring("not valid YAML"));
  CHECK_THAT(message("a: *nowhere"), ContainsSubstring("not valid YAML"));
}

TEST_CASE("document: a text cannot make itself endless") {
  CHECK_THROWS_AS(read_document(",a: 1", "f"), OperatorError);
  CHECK_THROWS_WITH(read_document("a: &x [*x]", "f"), ContainsSubstring("nested too deeply"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  CHECK_THROWS_WITH(read_document(bomb, "f"), ContainsSubstring("too many values"));
  CHECK_THROWS_AS(read_document(std::string(20000, '['), "f"), OperatorError);
}
