#include "executor/hints/find.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace berth;
using hints::find_cause;
using hints::stands_on;
using hints::Where;

TEST_CASE("a phrase stands on a line in its order, whatever stands between and around") {
  CHECK(stands_on("client version 1.2 is too old", "version * is too old"));
  CHECK(stands_on("CLIENT Version 1 is TOO old!", "client*too old"));
  CHECK(stands_on("abc", "abc"));
  CHECK(stands_on("abc", "*c"));
  CHECK(stands_on("abab", "ab*ab"));
  CHECK_FALSE(stands_on("ab", "ab*ab"));
  CHECK_FALSE(stands_on("is too old version", "version*is too old"));
  CHECK_FALSE(stands_on("", "x"));
  CHECK_FALSE(stands_on("aba", "abab"));
}

TEST_CASE("of several causes the last one that was spoken of counts") {
  const std::string full = "tar: x: No space left on device\n";
  const std::string shallow = "fatal: bad revision 'HEAD~1'\r\n";
  const std::string between = "\x1b[32;1m$ next command\x1b[0;m\n\n";
  CHECK(find_cause(full + between + shallow, Where::script)->name == "clone-too-shallow");
  CHECK(find_cause(shallow + between + full, Where::script)->name == "disk-full");
  CHECK(find_cause(shallow + between + between, Where::script)->name == "clone-too-shallow");
}

TEST_CASE("a phrase does not reach over the end of a line") {
  CHECK(find_cause("client version 1 is too old.\nMinimum supported API version is 2",
                   Where::script) == nullptr);
  CHECK(find_cause("progress 1%\rtar: No space left on device\rprogress 2%", Where::script) !=
        nullptr);
  CHECK(find_cause(std::string("\0\xff\xfe no space left on device\0", 29), Where::script) !=
        nullptr);
}
