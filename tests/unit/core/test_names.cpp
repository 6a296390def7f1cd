#include "executor/core/names.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;

TEST_CASE("names: the hash never changes, as volumes are found by it") {
  // FNV-1a test vectors (http://www.isthe.com/chongo/tech/comp/fnv/).
  CHECK(stable_hash("") == "cbf29ce484222325");
  CHECK(stable_hash("a") == "af63dc4c8601ec8c");
  CHECK(stable_hash("foobar") == "85944171f73967e8");
}

TEST_CASE("names: sanitized") {
  CHECK(sanitize_name("git.Example.com:8443", 100) == "git.example.com_8443");
  CHECK(sanitize_name("../../x", 100) == ".._.._x");
  CHECK(sanitize_name("abcdef", 3) == "abc");
  CHECK(sanitize_name("", 3) == "x");
}

TEST_CASE("names: a host's label") {
  CHECK(host_label("runner-aB_c-project-1") == "runner-abc-project-1");
  CHECK(host_label("--x--") == "x");
  CHECK(host_label("...").empty());
  CHECK(host_label(std::string(100, 'a')).size() == 63);
  CHECK(host_label(std::string(62, 'a') + "-b") == std::string(62, 'a'));
}
